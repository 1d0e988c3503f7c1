import '../zod-config';
import * as z from 'zod';
import { choiceOf } from './selection-choice';
import { composedSelection } from './selection-parts';

const tokens = (fallback: number, low = 1, high = 16_384) =>
  z.int().min(low).max(high).default(fallback);
const blockTokens = (fallback: number) => z.int().min(8).max(512).multipleOf(8).default(fallback);
const share = (fallback: number) => z.number().min(0.01).max(1).default(fallback);

/** Queries that share one selection. */
export const SELECTION_QUERIES = 32;
/** Keys per block where the method leaves it open; a multiple of every kernel's block. */
export const SELECTION_KEYS = 32;

const lines = {
  /** Last queries whose attention is looked at. */
  windowQueries: tokens(64),
  forcedColumns: tokens(30, 0),
  forcedDiagonals: tokens(100, 0),
};
const always = { sinkTokens: tokens(4, 0), recentTokens: tokens(32, 0) };

const methods = [
  z.strictObject({
    type: z.literal('a-shape'),
    sinkTokens: tokens(64, 0),
    windowTokens: tokens(256),
  }),
  z.strictObject({
    type: z.literal('vertical-slash'),
    columns: tokens(64),
    diagonals: tokens(128),
    ...lines,
  }),
  z.strictObject({
    type: z.literal('line-cover'),
    share: share(0.95),
    /** Lines that may be added; columns alone keep the same tokens for every query. */
    kinds: z.enum(['both', 'columns']).default('both'),
    ...lines,
  }),
  z.strictObject({
    type: z.literal('block-sparse'),
    topBlocks: tokens(8),
    blockTokens: blockTokens(32),
  }),
  z.strictObject({
    type: z.literal('pattern-search'),
    sinkTokens: tokens(64, 0),
    windowTokens: tokens(256),
    columns: tokens(64),
    diagonals: tokens(128),
    topBlocks: tokens(8),
    ...lines,
  }),
  z.strictObject({
    type: z.literal('flexprefill'),
    blockTokens: blockTokens(32),
    gamma: share(0.9),
    tau: z.number().min(0).max(1).default(0.1),
    minBudgetTokens: tokens(64),
  }),
  z.strictObject({
    type: z.literal('sale'),
    bits: z.int().min(2).max(8).default(4),
    threshold: z.number().min(0).max(1).default(0.004),
    sinkTokens: tokens(32, 0),
    windowTokens: tokens(128),
  }),
  z.strictObject({
    type: z.literal('pbs'),
    blockTokens: blockTokens(32),
    segmentTokens: blockTokens(128),
    share: share(0.9),
  }),
  z.strictObject({
    type: z.literal('hip'),
    keptTokens: tokens(128),
    windowTokens: tokens(64),
    sinkTokens: tokens(4, 0),
    representative: z.enum(['first', 'centre']).default('first'),
    queryReduce: z.enum(['mean', 'max']).default('mean'),
  }),
  z.strictObject({
    type: z.literal('quest'),
    pageTokens: blockTokens(16),
    budgetTokens: tokens(256),
    ...always,
  }),
  z.strictObject({
    type: z.literal('lserve'),
    pageTokens: blockTokens(64),
    subPageTokens: blockTokens(16),
    budgetTokens: tokens(256),
    ...always,
  }),
  z.strictObject({
    type: z.literal('xattention'),
    blockTokens: blockTokens(32),
    stride: tokens(8, 1, 64),
    share: share(0.9),
  }),
  z.strictObject({ type: z.literal('moba'), blockTokens: blockTokens(64), topBlocks: tokens(4) }),
  z.strictObject({
    type: z.literal('nsa'),
    compressTokens: blockTokens(32),
    compressStride: blockTokens(16),
    blockTokens: blockTokens(64),
    topBlocks: tokens(4),
    initialTokens: tokens(64, 0),
    localTokens: tokens(128, 0),
    windowTokens: tokens(128),
  }),
  z.strictObject({ type: z.literal('oracle-top-k'), blocks: tokens(8) }),
  z.strictObject({ type: z.literal('oracle-top-p'), share: share(0.95) }),
  composedSelection,
] as const;

/** One way of selecting keys, the same for every head. */
const selectionMethod = z.discriminatedUnion('type', methods);
export type SelectionMethod = z.output<typeof selectionMethod>;

const selectionChoice = choiceOf(selectionMethod, [
  { type: 'a-shape' },
  { type: 'vertical-slash' },
  { type: 'block-sparse' },
]);
export type ChoiceSelection = z.output<typeof selectionChoice>;

/**
 * Which keys each head visits, chosen from Q and K while the cell runs. Sizes are ours, scaled to
 * the page's lengths, unless lib/attention/select names them a number of the authors' code.
 */
export const attentionSelection = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  ...methods,
  selectionChoice,
]);
export type AttentionSelection = z.output<typeof attentionSelection>;
