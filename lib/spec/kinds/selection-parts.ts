import '../zod-config';
import * as z from 'zod';
import { selectionOrder } from './selection-order';
import { partsIssues } from './selection-parts-issues';

export {
  hasOneScorePerBlock,
  type PartsIssue,
  partsIssues,
  selectsLines,
} from './selection-parts-issues';

const queryTokens = (fallback: number) => z.int().min(8).max(512).multipleOf(8).default(fallback);
/** Trees have leaves of few keys. */
const blockTokens = (fallback: number) => z.int().min(2).max(512).multipleOf(2).default(fallback);
const share = (fallback: number) => z.number().min(0.01).max(1).default(fallback);
const lineCount = z.int().min(0).max(16_384);
const forcedTokens = z.int().min(0).max(16_384);
const REDUCTIONS = ['max', 'mean', 'sum'] as const;

/** What stands for the keys of a block. */
const summariser = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('mean') }),
  /** Means of parts at every stride, which may cross blocks. */
  z.strictObject({
    type: z.literal('sliding-mean'),
    partTokens: blockTokens(32),
    strideTokens: blockTokens(16),
  }),
  /** Smallest and largest value per channel of each part of a block: a bound on every score. */
  z.strictObject({ type: z.literal('bounds'), partTokens: blockTokens(8) }),
  z.strictObject({
    type: z.literal('representative'),
    token: z.enum(['first', 'centre', 'last']).default('centre'),
  }),
  z.strictObject({ type: z.literal('every-key') }),
  z.strictObject({ type: z.literal('low-bit'), bits: z.int().min(2).max(8).default(4) }),
]);

/** Which queries look at the summaries. */
const scorer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('mean-query') }),
  /** The last queries of the head choose for every query block. */
  z.strictObject({
    type: z.literal('window'),
    windowQueries: z.int().min(1).max(16_384).default(64),
  }),
  z.strictObject({ type: z.literal('every-query') }),
  /** Sums along the antidiagonals of stride x stride tiles. */
  z.strictObject({
    type: z.literal('antidiagonal'),
    stride: z.int().min(1).max(64).default(8),
  }),
]);

/** How the scores of a query block and a key block become one. */
const reducer = z.strictObject({
  /** Scores as they are, or after a softmax over the keys that each query sees. */
  of: z.enum(['scores', 'probabilities']).default('scores'),
  keys: z.enum(REDUCTIONS).default('max'),
  queries: z.enum(REDUCTIONS).default('max'),
});

const selector = z.discriminatedUnion('type', [
  /** Forced keys alone, exact to the token or as the blocks that hold them; nothing is scored. */
  z.strictObject({ type: z.literal('none'), unit: z.enum(['token', 'block']).default('token') }),
  z.strictObject({
    type: z.literal('top-k'),
    blocks: z.int().min(1).max(16_384).default(8),
  }),
  z.strictObject({ type: z.literal('top-p'), share: share(0.9) }),
  /**
   * Blocks of at least `share` of the largest weight, or of the sum of all; or those in which a
   * query may give a key more than `share` of what it gives to all its forced keys.
   */
  z.strictObject({
    type: z.literal('threshold'),
    of: z.enum(['maximum', 'mass', 'forced']).default('maximum'),
    share: z.number().min(0).max(1).default(0.05),
  }),
  /** Single columns (keys) and diagonals (distances), the same for every query. */
  z.strictObject({
    type: z.literal('line-top-k'),
    columns: lineCount.default(64),
    diagonals: lineCount.default(128),
  }),
  /** The fewest columns and the fewest diagonals that each hold `share`, and at least so many. */
  z.strictObject({
    type: z.literal('line-top-p'),
    share: share(0.9),
    leastLines: lineCount.default(0),
  }),
  /** The fewest lines that cover `share` together, a pair on two lines counted once. */
  z.strictObject({
    type: z.literal('line-cover'),
    share: share(0.95),
    kinds: z.enum(['both', 'columns']).default('both'),
  }),
  /** A search down a tree of blocks: of the parts of its nodes the best go on, down to `blocks`. */
  z.strictObject({
    type: z.literal('tree'),
    blocks: z.int().min(1).max(16_384).default(8),
    branch: z.int().min(2).max(16).default(2),
  }),
]);

/**
 * Kept whatever the score, and counted towards a budget: the blocks that hold any of these keys, or
 * the keys themselves where single keys are selected.
 */
const forced = z.strictObject({
  sinkTokens: forcedTokens.default(1),
  recentTokens: forcedTokens.default(1),
  /** Last keys of each query that are kept beside what is chosen: they count towards nothing. */
  windowTokens: forcedTokens.default(0),
});

const parts = z.strictObject({
  type: z.literal('composed'),
  blockTokens: blockTokens(32),
  queryBlockTokens: queryTokens(32),
  summariser: summariser.default({ type: 'mean' }),
  scorer: scorer.default({ type: 'mean-query' }),
  reducer: reducer.prefault({}),
  selector: selector.default({ type: 'top-k', blocks: 8 }),
  forced: forced.prefault({}),
  order: selectionOrder.optional(),
});
export type ComposedSelection = z.output<typeof parts>;

/**
 * Selection of key blocks part by part: summariser, scorer, reducer, selector. Parts that mean
 * nothing together are refused at the field to change.
 */
export const composedSelection = parts.superRefine((composed, context) => {
  for (const { path, message } of partsIssues(composed)) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
});
