import './zod-config';
import * as z from 'zod';
import { cacheAction, cacheCorrector } from './cache-actions';

const tokens = z.int().min(0).max(1_048_576);
const someTokens = z.int().min(1).max(1_048_576);
const share = z.number().min(0).max(1);
const seed = z.int().min(0).max(0xffffffff).default(7);

/**
 * How much of a context stays. A ratio and tokens are slots per (layer, KV head) on average; bytes
 * are of the whole cache.
 */
export const cacheBudget = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ratio'), share: z.number().gt(0).max(1) }),
  z.strictObject({ type: z.literal('tokens'), tokens: someTokens }),
  z.strictObject({ type: z.literal('bytes'), bytes: z.int().min(1) }),
]);
export type CacheBudget = z.output<typeof cacheBudget>;

/** When the policy acts. */
const trigger = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('after-prefill') }),
  /** After prefill, and then on every append while a head is over its budget. */
  z.strictObject({ type: z.literal('on-append') }),
  /** The context comes in chunks of so many tokens, and so do the acts. */
  z.strictObject({ type: z.literal('every'), tokens: someTokens }),
  /** After each layer of the prefill: the budget is split again among the layers so far. */
  z.strictObject({ type: z.literal('layer-cascade') }),
  /** When a question has been read, by its queries. */
  z.strictObject({ type: z.literal('on-question') }),
]);

/** Which heads need the whole context. */
const classifier = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** A gate per head, [layers][kvHeads]: higher needs more. */
  z.strictObject({ type: z.literal('gates'), gates: z.array(z.array(z.number()).min(1)).min(1) }),
  /** Attention to the same token, or to the one after it, a repeat ago. */
  z.strictObject({
    type: z.literal('echo-induction'),
    randomTokens: someTokens,
    repeats: z.int().min(2).max(16).default(4),
    seed,
  }),
  /** Mean attention that the mean query of samples gives the mean key over a span of distances. */
  z.strictObject({ type: z.literal('mean-query'), spanTokens: someTokens.default(500) }),
]);

const allocator = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('uniform') }),
  /**
   * From 2B - B / beta slots in layer 0 down to B / beta in the last, in a line; a first layer that has
   * fewer slots makes the line flatter.
   */
  z.strictObject({ type: z.literal('pyramid'), beta: z.number().min(1).max(1000) }),
  /** By entropy^(1 / tau1) x variance^(1 / tau2) of the window's attention. */
  z.strictObject({
    type: z.literal('entropy-variance'),
    tau1: z.number().gt(0).max(100),
    tau2: z.number().gt(0).max(100),
  }),
  /** The best scores of all heads of a layer, and at least `floor` of its even share for each head. */
  z.strictObject({ type: z.literal('ada'), floor: share }),
  /** As many heads keep everything as the budget pays for; the others keep about `otherTokens`. */
  z.strictObject({ type: z.literal('classes'), otherTokens: someTokens }),
]);

const scorer = z.discriminatedUnion('type', [
  /** Later is better. */
  z.strictObject({ type: z.literal('position') }),
  z.strictObject({ type: z.literal('random'), seed }),
  z.strictObject({ type: z.literal('key-norm'), keep: z.enum(['low', 'high']).default('low') }),
  z.strictObject({ type: z.literal('value-norm'), keep: z.enum(['low', 'high']).default('high') }),
  /** Minus the cosine to the mean of the normalised keys. */
  z.strictObject({ type: z.literal('key-mean-cosine'), rope: z.enum(['before', 'after']) }),
  z.strictObject({
    type: z.literal('attention'),
    /** `all` are summed as they come, and go on while decoding where the trigger is on-append. */
    queries: z.enum(['last', 'window', 'spread', 'probe', 'all']),
    /** How many queries, but for `last` and `all`. */
    windowTokens: someTokens.default(32),
    /** Divided by how many of the queries see the key. */
    perVisible: z.boolean().default(false),
    seed,
  }),
  /** Attention that Gaussian queries of the next positions are expected to give, times |v|. */
  z.strictObject({
    type: z.literal('expected-attention'),
    futureTokens: someTokens.default(512),
    useCovariance: z.boolean().default(true),
    valueNorm: z.boolean().default(true),
    /** First tokens that stand outside: their queries are no samples, and their slots score as the best. */
    sinkTokens: tokens.default(0),
  }),
  /** Attention that the answer's own queries will give: an oracle. */
  z.strictObject({ type: z.literal('future-attention') }),
]);

const reducers = z.strictObject({
  /** Over the queries of the window. */
  rows: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.enum(['sum', 'mean', 'max']) }),
      z.strictObject({ type: z.literal('mean-variance'), gamma: z.number().min(0) }),
    ])
    .default({ type: 'sum' }),
  /** Along positions. */
  pool: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('none') }),
      z.strictObject({ type: z.enum(['avg', 'max']), kernel: z.int().min(1).max(255) }),
    ])
    .default({ type: 'none' }),
  /** Over the query heads that share a KV head. */
  group: z.enum(['mean', 'max', 'sum']).default('mean'),
  /** Over the KV heads of a layer: all then keep the same slots. */
  heads: z.enum(['none', 'mean']).default('none'),
});

const selector = z.strictObject({
  rule: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('top-k') }),
      /** The fewest best slots whose scores sum to a share of all, within the budget. */
      z.strictObject({ type: z.literal('top-p'), share }),
      /** Slots whose score is at least `least`, within the budget. */
      z.strictObject({ type: z.literal('threshold'), least: z.number() }),
    ])
    .default({ type: 'top-k' }),
  /** First tokens of the context: kept whatever their score, and part of the budget. */
  sinkTokens: tokens.default(0),
  /** Last tokens, likewise: a number, or a share of the head's budget. */
  recent: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('tokens'), tokens }),
      z.strictObject({ type: z.literal('share'), share }),
      /** All of the budget that the sinks leave. */
      z.strictObject({ type: z.literal('rest') }),
    ])
    .default({ type: 'tokens', tokens: 0 }),
});

const position = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('absolute') }),
  z.strictObject({ type: z.literal('slot-index') }),
  z.strictObject({ type: z.literal('clamped-far'), windowTokens: someTokens }),
  z.strictObject({ type: z.literal('restart') }),
]);

/** trigger -> classifier -> allocator -> scorer -> reducers -> selector -> action (+ corrector) -> position */
export const cachePolicy = z.strictObject({
  budget: cacheBudget,
  storage: z.enum(['f16', 'f32']).default('f16'),
  trigger: trigger.default({ type: 'after-prefill' }),
  classifier: classifier.default({ type: 'none' }),
  allocator: allocator.default({ type: 'uniform' }),
  scorer: scorer.default({ type: 'position' }),
  reducers: reducers.prefault({}),
  selector: selector.prefault({}),
  /** Of the slots that are not kept. */
  action: cacheAction.default({ type: 'evict' }),
  /** Of the slots that are. */
  keptAction: cacheAction.default({ type: 'none' }),
  corrector: cacheCorrector.default({ type: 'none' }),
  position: position.default({ type: 'absolute' }),
});
export type CachePolicy = z.output<typeof cachePolicy>;
export type CachePolicyInput = z.input<typeof cachePolicy>;
