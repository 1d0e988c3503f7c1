import './zod-config';
import * as z from 'zod';
import { projectedForm, quantisedForm } from './cache-forms';

/**
 * What becomes of the slots that a policy does not keep as they are: evict, quantise, merge, project,
 * offload and recompute are values of one field. Where an action can own all slots, `slots` says so.
 */
export const cacheAction = z.discriminatedUnion('type', [
  /** Nothing: for policies whose saving is not in the slots. */
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('evict') }),
  /** All victims of a head become one slot, the mean of their rotated keys and of their values. */
  z.strictObject({
    type: z.literal('compensate'),
    /** The merged slot counts as the number of tokens in it: log N is added to its score. */
    keepCount: z.boolean().default(true),
  }),
  z.strictObject({
    type: z.literal('merge'),
    target: z.enum(['nearest-position', 'nearest-key', 'adjacent-sets']).default('nearest-key'),
    weights: z.enum(['averaged', 'pivotal', 'weighted', 'gaussian']).default('averaged'),
    /** Least cosine of neighbours that join a set. */
    similarity: z.number().min(-1).max(1).default(0.75),
    keepCount: z.boolean().default(true),
  }),
  /** The same slots in fewer bits. */
  z.strictObject({
    type: z.literal('quantise'),
    slots: z.enum(['victims', 'all']).default('victims'),
    form: quantisedForm.prefault({ type: 'per-token' }),
    /** Of the slots that are kept, where only victims are meant; as they are unless given. */
    keptForm: quantisedForm.optional(),
    /** Last tokens that stay as they are, where all slots are meant. */
    recentTokens: z.int().min(0).max(16_384).default(0),
  }),
  /** The same slots in fewer numbers. */
  z.strictObject({
    type: z.literal('project'),
    slots: z.enum(['victims', 'all']).default('all'),
    form: projectedForm.prefault({ type: 'low-rank' }),
    recentTokens: z.int().min(0).max(16_384).default(0),
  }),
  z.strictObject({
    type: z.literal('channel-prune'),
    slots: z.enum(['victims', 'all']).default('all'),
    /** Share of the key channels that is dropped. */
    share: z.number().min(0).max(1).default(0.4),
    windowQueries: z.int().min(1).max(4096).default(32),
    recentTokens: z.int().min(0).max(16_384).default(32),
    /** Before RoPE both channels of a pair must go together. */
    rope: z.enum(['before', 'after']).default('before'),
    keepPairs: z.boolean().default(true),
  }),
  /** The same slots in host memory, moved to the device when a query needs them. */
  z.strictObject({
    type: z.literal('offload'),
    pageTokens: z.int().min(1).max(512).default(16),
    fetch: z
      .discriminatedUnion('type', [
        /** All of them in every pass, layer by layer: exact, and nothing of them stays. */
        z.strictObject({ type: z.literal('all') }),
        /** Of every head, the pages whose bounds score highest with a query; they stay until others do. */
        z.strictObject({ type: z.literal('pages'), share: z.number().gt(0).max(1) }),
      ])
      .default({ type: 'pages', share: 0.25 }),
  }),
  /** Token ids in place of keys and values, which a question has made again. */
  z.strictObject({
    type: z.literal('recompute'),
    /** First layer that drops its slots, and makes them again; those before it keep theirs. */
    fromLayer: z.int().min(0).max(1023).default(1),
    /** Of the tokens dropped, those of the best scores whose ids are kept: exact at 1 alone. */
    share: z.number().min(0).max(1).default(1),
  }),
]);
export type CacheAction = z.output<typeof cacheAction>;

/** What an action takes back of its own error. */
export const cacheCorrector = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** The last tokens stay in full precision. */
  z.strictObject({ type: z.literal('recent-window'), tokens: z.int().min(1).max(16_384) }),
  z.strictObject({ type: z.literal('sparse-outliers'), share: z.number().min(0).max(1) }),
  z.strictObject({ type: z.literal('low-rank-residual'), rank: z.int().min(1).max(4096) }),
  z.strictObject({ type: z.literal('pre-scale'), by: z.enum(['queries', 'channels']) }),
]);
export type CacheCorrector = z.output<typeof cacheCorrector>;
