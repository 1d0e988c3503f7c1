import '../zod-config';
import * as z from 'zod';
import { attentionStructure, attentionVariant, MAX_TOKENS } from './attention';

const size = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);

/** Most queries of a decode step: more of them are a prefill, with other kernels. */
const MAX_QUERIES = 8;

/** Sizes of one decode step: Q is [batch, queryHeads, queries, headSize], K and V are [batch, kvHeads, keys, headSize]. */
export const decodeShape = z
  .strictObject({
    batch: size(1, 16, 1),
    queryHeads: size(1, 64, 8),
    kvHeads: size(1, 64, 2),
    queries: size(1, MAX_QUERIES, 1),
    keys: size(1, MAX_TOKENS, 4096),
    headSize: z.int().min(4).max(256).multipleOf(4).default(64),
  })
  .refine((shape) => shape.queryHeads % shape.kvHeads === 0, {
    path: ['kvHeads'],
    error: 'expected a divisor of queryHeads',
  });

const groupTokens = size(1, MAX_TOKENS, 32);
/** How many values share one scale; see lib/attention/quantise. */
export const granularity = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('token') }),
  z.strictObject({ type: z.literal('channel'), groupTokens }),
  z.strictObject({
    type: z.literal('grouped'),
    groupChannels: z.int().min(4).max(256).multipleOf(4).default(32),
  }),
  z.strictObject({ type: z.literal('rope-pair'), groupTokens }),
]);

/** How keys or values lie in memory. */
export const tensorStorage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('f32') }),
  /** Two bytes per number, rounded to the nearest, ties to even; models are mostly served with these. */
  z.strictObject({ type: z.literal('f16') }),
  z.strictObject({ type: z.literal('bf16') }),
  z.strictObject({
    type: z.literal('quantised'),
    bits: z.literal([2, 4, 8]).default(8),
    mode: z.enum(['asymmetric', 'symmetric']).default('asymmetric'),
    granularity: granularity.default({ type: 'token' }),
    /** Of scales and zeros. */
    scaleType: z.enum(['f16', 'f32']).default('f16'),
  }),
  /** f32 differences to the token before, those up to a threshold left out; see lib/attention/decode/delta. */
  z.strictObject({
    type: z.literal('delta'),
    threshold: z.number().min(0).max(64).default(0.5),
    /** The first of so many tokens is whole. */
    groupTokens: size(1, MAX_TOKENS, 256),
    /** The most recent tokens, all whole. */
    windowTokens: size(0, MAX_TOKENS, 128),
    /** Whether differences are taken before keys turn with RoPE, or after. */
    place: z.enum(['before-rope', 'after-rope']).default('before-rope'),
  }),
]);
export type TensorStorage = z.output<typeof tensorStorage>;
export type QuantisedStorage = Extract<TensorStorage, { type: 'quantised' }>;
export type DeltaStorage = Extract<TensorStorage, { type: 'delta' }>;

/** Whether a tensor is numbers of one type, as pages hold it. */
export const isPlainStorage = (
  storage: TensorStorage,
): storage is Exclude<TensorStorage, QuantisedStorage | DeltaStorage> =>
  storage.type !== 'quantised' && storage.type !== 'delta';

/** A cache's storage; keys and values may differ. */
export const cacheStorage = z.strictObject({
  name: z.string().min(1).max(40),
  key: tensorStorage.default({ type: 'f32' }),
  value: tensorStorage.default({ type: 'f32' }),
});
export type CacheStorage = z.output<typeof cacheStorage>;

/** Where tokens lie. */
export const cacheLayout = z.discriminatedUnion('type', [
  /** Each sequence in a stretch of its own. */
  z.strictObject({ type: z.literal('contiguous') }),
  /** Pages of a pool that all sequences share, named by a block table (PagedAttention, Kwon et al. 2023). */
  z.strictObject({
    type: z.literal('paged'),
    pageTokens: z.literal([16, 32]).default(16),
    /** Every sequence has `keys` tokens, or the first has and the others have from an eighth of them, by the seed. */
    lengths: z.enum(['equal', 'ragged']).default('ragged'),
    /** Tokens that all sequences begin with; their whole pages are kept once. */
    sharedPrefixTokens: size(0, MAX_TOKENS, 0),
  }),
]);
export type CacheLayout = z.output<typeof cacheLayout>;
export type PagedLayout = Extract<CacheLayout, { type: 'paged' }>;

const DEFAULT_STORAGES: z.input<typeof cacheStorage>[] = [
  { name: 'f32' },
  { name: 'int8 per token', key: { type: 'quantised' }, value: { type: 'quantised' } },
];

/** Why a tensor of this head size cannot be stored so, or undefined. */
function storageProblem(storage: TensorStorage, headSize: number): string | undefined {
  if (storage.type !== 'quantised') return undefined;
  const multiple = Math.max(8, 32 / storage.bits);
  if (headSize % multiple !== 0) {
    return `expected a headSize that is a multiple of ${multiple} for ${storage.bits} bits`;
  }
  const { granularity } = storage;
  if (granularity.type === 'grouped' && headSize % granularity.groupChannels !== 0) {
    return `expected groupChannels to divide headSize ${headSize}`;
  }
  return undefined;
}

/** One decode step over caches of the same keys and values, stored in several ways. */
export const decodeParams = z
  .strictObject({
    shape: decodeShape.prefault({}),
    structure: attentionStructure.prefault({}),
    variant: attentionVariant.default({ type: 'causal' }),
    storages: z
      .array(cacheStorage)
      .min(1)
      .max(6)
      .prefault(() => structuredClone(DEFAULT_STORAGES)),
    layout: cacheLayout.default({ type: 'contiguous' }),
    /** Parts that the keys of a head are split into (Flash-Decoding); 0 leaves it to the plan. */
    splits: size(0, 64, 0),
    /**
     * Added, with a sign of its own, to one key channel in 32 of every head, for all tokens alike;
     * the other components are about 1. Keys of trained models have such channels and values have
     * not, as KIVI (Liu et al. 2024) and KVQuant (Hooper et al. 2024) report: hence their scales per
     * key channel. A constant per channel adds the same to all scores of a query, so that exact
     * attention stays as it was and only its storage gets harder. Real outliers also vary by token,
     * and turn with RoPE.
     */
    keyOutliers: z.number().min(0).max(64).default(8),
    /** How much of a key carries over from the one before it: their correlation, token by token. */
    keyCarry: z.number().min(0).max(0.999).default(0),
    /** `auto` is WebGPU where there is an adapter of hardware, else WebAssembly over dequantised tensors. `cpu` is the f64 reference over them. */
    engine: z.enum(['auto', 'webgpu', 'wasm', 'cpu']).default('auto'),
    timedRuns: size(1, 50, 5),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(1),
  })
  .superRefine(({ shape, storages, layout, variant }, context) => {
    const issue = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const names = storages.map(({ name }) => name);
    storages.forEach((storage, i) => {
      if (names.indexOf(storage.name) !== i) {
        issue(['storages', i, 'name'], `duplicate name: "${storage.name}"`);
      }
      for (const part of ['key', 'value'] as const) {
        const problem = storageProblem(storage[part], shape.headSize);
        if (problem !== undefined) issue(['storages', i, part], problem);
        if (layout.type === 'paged' && !isPlainStorage(storage[part])) {
          issue(
            ['storages', i, part],
            'expected type f32, f16 or bf16: pages hold no packed codes and no differences',
          );
        }
      }
    });
    if (layout.type !== 'paged') return;
    if (variant.type !== 'dense' && variant.type !== 'causal') {
      issue(['variant'], 'expected type dense or causal in a paged layout');
    }
    if (layout.sharedPrefixTokens > shape.keys) {
      issue(['layout', 'sharedPrefixTokens'], `expected at most keys ${shape.keys}`);
    }
  });
export type DecodeParams = z.output<typeof decodeParams>;
