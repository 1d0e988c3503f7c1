import '../zod-config';
import * as z from 'zod';

/** Largest sequence the page accepts; the adapter's own limits are checked when the cell runs. */
export const MAX_TOKENS = 16_384;

const tokens = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);
const strength = (fallback: number) => z.number().min(0).max(16).default(fallback);

/** Sizes of one attention call: Q is [batch, queryHeads, queries, headSize], K and V are [batch, kvHeads, keys, headSize]. */
export const attentionShape = z
  .strictObject({
    batch: tokens(1, 16, 1),
    queryHeads: tokens(1, 64, 8),
    kvHeads: tokens(1, 64, 2),
    queries: tokens(1, MAX_TOKENS, 1024),
    keys: tokens(1, MAX_TOKENS, 1024),
    headSize: z.int().min(4).max(256).multipleOf(4).default(64),
  })
  .refine((shape) => shape.queryHeads % shape.kvHeads === 0, {
    path: ['kvHeads'],
    error: 'expected a divisor of queryHeads',
  });
export type AttentionShape = z.output<typeof attentionShape>;

/**
 * Structure of the seeded synthetic inputs. Every strength is the height, in logits, that the
 * component adds to a score at its peak; all zero leaves i.i.d. normal Q, K and V.
 */
export const attentionStructure = z.strictObject({
  bandStrength: strength(4),
  bandWidthTokens: tokens(1, 4096, 32),
  sinkStrength: strength(5),
  sinkTokens: tokens(1, 64, 2),
  needleStrength: strength(0),
  needleCount: tokens(1, 64, 4),
  inductionStrength: strength(0),
  inductionPeriodTokens: tokens(2, 8192, 128),
});
export type AttentionStructure = z.output<typeof attentionStructure>;

/** Which keys a query may see. Queries are the last `queries` positions of the `keys` positions. */
export const attentionVariant = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('dense') }),
  z.strictObject({ type: z.literal('causal') }),
  z.strictObject({
    type: z.literal('sliding-window'),
    windowTokens: tokens(1, MAX_TOKENS, 256),
  }),
  z.strictObject({
    type: z.literal('window-sinks'),
    windowTokens: tokens(1, MAX_TOKENS, 256),
    sinkTokens: tokens(1, 1024, 4),
  }),
  z.strictObject({
    type: z.literal('documents'),
    meanDocumentTokens: tokens(2, MAX_TOKENS, 256),
    causal: z.boolean().default(true),
  }),
]);
export type AttentionVariant = z.output<typeof attentionVariant>;

export const attentionParams = z.strictObject({
  shape: attentionShape.prefault({}),
  structure: attentionStructure.prefault({}),
  variant: attentionVariant.default({ type: 'causal' }),
  /** `auto` is WebGPU where there is an adapter, else the CPU reference. */
  engine: z.enum(['auto', 'webgpu', 'cpu']).default('auto'),
  timedRuns: z.int().min(1).max(50).default(5),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(1),
});
export type AttentionParams = z.output<typeof attentionParams>;
