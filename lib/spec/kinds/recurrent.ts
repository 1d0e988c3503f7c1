import '../zod-config';
import * as z from 'zod';

const size = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);
const normalise = z.boolean().default(true);

/** Largest key size whose Taylor features, 1 + d + d^2 channels, fit the kernels. */
const MAX_TAYLOR_KEY_SIZE = 10;

/** q, k are [batch, heads, tokens, keySize], v is [batch, heads, tokens, valueSize]. */
export const recurrentShape = z.strictObject({
  batch: size(1, 16, 1),
  heads: size(1, 64, 4),
  tokens: size(1, 65_536, 1024),
  keySize: size(1, 128, 64),
  valueSize: size(1, 256, 64),
});

/** How a token changes the state; see lib/attention/recurrent/types. */
export const stateRule = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('additive'), normalise }),
  z.strictObject({ type: z.literal('retnet') }),
  z.strictObject({ type: z.literal('gated'), normalise: z.boolean().default(false) }),
  z.strictObject({ type: z.literal('ssd') }),
  z.strictObject({ type: z.literal('delta') }),
  z.strictObject({ type: z.literal('gated-delta') }),
  z.strictObject({
    type: z.literal('prefix-linear'),
    normalise,
    prefixTokens: size(0, 8192, 256),
  }),
  z.strictObject({
    type: z.literal('mom'),
    memories: size(1, 16, 8),
    topK: size(1, 16, 2),
    hasShared: z.boolean().default(false),
    routerBias: z.number().min(0).max(4).default(0),
  }),
  z.strictObject({
    type: z.literal('lact'),
    chunkTokens: size(1, 4096, 64),
    expansion: size(1, 4, 1),
    learningRate: z.number().min(0).max(100).default(1),
    hasMomentum: z.boolean().default(false),
    muonSteps: size(0, 10, 0),
  }),
  z.strictObject({
    type: z.literal('temporal-lora'),
    chunkTokens: size(1, 4096, 64),
    rank: size(1, 64, 8),
    learningRate: z.number().min(0).max(1).default(0.5),
    steps: size(1, 64, 8),
  }),
  z.strictObject({ type: z.literal('lmu'), thetaTokens: size(1, 65_536, 256) }),
]);

/**
 * The stack that memory is counted for: of every `softmaxEvery` layers the first is a
 * sliding-window softmax layer, the others are of the cell's rule; 0 is no window layer.
 */
export const hybridStack = z.strictObject({
  layers: size(1, 128, 4),
  softmaxEvery: size(0, 128, 0),
  windowTokens: size(1, 65_536, 1024),
  /**
   * Layers of a second half (SambaY): the last of `layers` is then full attention, whose cache is the
   * only one of its length; above it cross-attention to that cache and gated memory units alternate.
   */
  crossLayers: size(0, 128, 0),
});

/** Most channels of all heads that a gated memory unit takes: its two matrices are square in them. */
const MAX_UNIT_SIZE = 1024;

export const recurrentParams = z
  .strictObject({
    shape: recurrentShape.prefault({}),
    rule: stateRule.default({ type: 'gated-delta' }),
    /** Applied to q and k after the convolution; under a rule with a normaliser, identity is elu + 1. */
    featureMap: z.enum(['identity', 'elu+1', 'relu', 'softmax', 'taylor']).default('identity'),
    /** Tokens of the causal convolution before q, k and v; 1 is none. */
    convolutionWidth: size(1, 4, 1),
    hybrid: hybridStack.prefault({}),
    /** A gated memory unit, W2 (o silu(W1 x)), reads the output o as a later layer of SambaY does. */
    readout: z.enum(['plain', 'memory-unit']).default('plain'),
    /**
     * `auto` is WebGPU on a GPU, else WebAssembly; where a rule has no kernel there, a software
     * adapter or the f64 reference on the CPU.
     */
    engine: z.enum(['auto', 'webgpu', 'wasm', 'cpu']).default('auto'),
    timedRuns: size(1, 50, 5),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(1),
  })
  .refine(
    ({ featureMap, shape, rule }) =>
      featureMap !== 'taylor' || (shape.keySize <= MAX_TAYLOR_KEY_SIZE && rule.type !== 'gated'),
    {
      path: ['featureMap'],
      error: `expected taylor only with keySize up to ${MAX_TAYLOR_KEY_SIZE} and a rule without a decay per channel`,
    },
  )
  .refine(
    ({ featureMap, rule }) =>
      featureMap === 'identity' || !['lmu', 'lact', 'temporal-lora'].includes(rule.type),
    {
      path: ['featureMap'],
      error: 'expected identity with rules lmu, lact and temporal-lora',
    },
  )
  .refine(
    ({ readout, shape: { heads, valueSize } }) =>
      readout === 'plain' || heads * valueSize <= MAX_UNIT_SIZE,
    {
      path: ['readout'],
      error: `expected plain where heads x valueSize is above ${MAX_UNIT_SIZE}`,
    },
  )
  .refine(({ rule }) => rule.type !== 'mom' || rule.topK <= rule.memories, {
    path: ['rule', 'topK'],
    error: 'expected at most as many as there are memories',
  });
export type RecurrentParams = z.output<typeof recurrentParams>;
