import '../zod-config';
import * as z from 'zod';
import { orderIssues, selectionOrder } from './selection-order';

const blockTokens = (fallback: number) => z.int().min(8).max(512).multipleOf(8).default(fallback);
const forcedTokens = z.int().min(0).max(16_384);
const REDUCTIONS = ['max', 'mean', 'sum'] as const;

/** What stands for the keys of a block. */
const summariser = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('mean') }),
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
  z.strictObject({
    type: z.literal('top-k'),
    blocks: z.int().min(1).max(16_384).default(8),
  }),
  z.strictObject({ type: z.literal('top-p'), share: z.number().min(0.01).max(1).default(0.9) }),
  /** Blocks of at least `share` of the largest weight, or of the sum of all. */
  z.strictObject({
    type: z.literal('threshold'),
    of: z.enum(['maximum', 'mass']).default('maximum'),
    share: z.number().min(0).max(1).default(0.05),
  }),
]);

/** Blocks that hold any of these keys are kept whatever their score, and count towards a budget. */
const forced = z.strictObject({
  sinkTokens: forcedTokens.default(1),
  recentTokens: forcedTokens.default(1),
});

const parts = z.strictObject({
  type: z.literal('composed'),
  blockTokens: blockTokens(32),
  queryBlockTokens: blockTokens(32),
  summariser: summariser.default({ type: 'mean' }),
  scorer: scorer.default({ type: 'mean-query' }),
  reducer: reducer.prefault({}),
  selector: selector.default({ type: 'top-k', blocks: 8 }),
  forced: forced.prefault({}),
  order: selectionOrder.optional(),
});
export type ComposedSelection = z.output<typeof parts>;

/** One score per block, which every reduction leaves as it is. */
export function hasOneScorePerBlock({ summariser, blockTokens }: ComposedSelection): boolean {
  if (summariser.type === 'bounds') return summariser.partTokens >= blockTokens;
  return summariser.type === 'mean' || summariser.type === 'representative';
}

export interface PartsIssue {
  readonly path: readonly string[];
  /** After the field and its value: `expected ...`. */
  readonly message: string;
}

/** Why parts do not go together, each at the field to change; empty where they do. */
export function partsIssues(composed: ComposedSelection): readonly PartsIssue[] {
  const { summariser, scorer, reducer, selector, blockTokens, queryBlockTokens } = composed;
  const issues: PartsIssue[] = [];
  const refuse = (path: string, message: string) =>
    issues.push({ path: path.split('.'), message: `expected ${message}` });
  if (scorer.type === 'antidiagonal') {
    if (summariser.type !== 'every-key') {
      refuse('scorer.type', 'another scorer, or summariser every-key: antidiagonals are of keys');
    }
    const { stride } = scorer;
    if (blockTokens % stride !== 0 || queryBlockTokens % stride !== 0) {
      refuse('scorer.stride', 'a divisor of blockTokens and of queryBlockTokens');
    }
  }
  if (summariser.type === 'bounds') {
    if (blockTokens % summariser.partTokens !== 0) {
      refuse('summariser.partTokens', `summariser parts that divide blockTokens ${blockTokens}`);
    }
    if (reducer.of === 'probabilities') {
      refuse('reducer.of', 'a reducer of scores: upper bounds are no probabilities');
    }
    if (reducer.keys !== 'max' && !hasOneScorePerBlock(composed)) {
      refuse(
        'reducer.keys',
        'reducer max over keys: only the largest bound of its parts bounds a block',
      );
    }
    const isMass = selector.type === 'top-p' || selector.type === 'threshold';
    if (isMass && !(selector.type === 'threshold' && selector.of === 'maximum')) {
      const field = selector.type === 'top-p' ? 'selector.type' : 'selector.of';
      refuse(field, 'selector top-k or a threshold of the maximum: upper bounds add up to no mass');
    }
  }
  if (reducer.of === 'scores') {
    const why =
      'reducer max or mean, or one of probabilities: scores of either sign add up to nothing';
    if (reducer.keys === 'sum' && summariser.type !== 'bounds' && !hasOneScorePerBlock(composed)) {
      refuse('reducer.keys', why);
    }
    if (reducer.queries === 'sum' && scorer.type !== 'mean-query') refuse('reducer.queries', why);
  }
  issues.push(...orderIssues(composed));
  return issues;
}

/**
 * Selection of key blocks part by part: summariser, scorer, reducer, selector. Parts that mean
 * nothing together are refused at the field to change.
 */
export const composedSelection = parts.superRefine((composed, context) => {
  for (const { path, message } of partsIssues(composed)) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
});
