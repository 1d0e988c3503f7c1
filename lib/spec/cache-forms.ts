import './zod-config';
import * as z from 'zod';

/** Bits of a uniform quantiser; 16 is f16. */
const bits = z.union([z.literal(2), z.literal(4), z.literal(8), z.literal(16)]);
const groupTokens = z.int().min(1).max(512);
const share = z.number().gt(0).max(1);

/** Forms that hold the same slots in fewer bits. */
export const quantisedForm = z.discriminatedUnion('type', [
  /** Uniform, one scale and zero per token of a head. */
  z.strictObject({ type: z.literal('per-token'), bits: bits.default(8) }),
  /** Keys per channel in groups of tokens, values per token in groups of channels of the layer. */
  z.strictObject({
    type: z.literal('kivi'),
    bits: bits.default(2),
    groupTokens: groupTokens.default(32),
    groupChannels: z.int().min(1).max(1024).default(32),
  }),
  /** Quantised, with sparse outliers and a low-rank residual per head. */
  z.strictObject({
    type: z.literal('gear'),
    bits: bits.default(4),
    /** Tokens of a key's group; 0 for whole channels. */
    groupTokens: z.int().min(0).max(512).default(0),
    outlierShare: z.number().min(0).max(1).default(0.02),
    rank: z.int().min(0).max(256).default(4),
    powerLoops: z.int().min(1).max(32).default(3),
  }),
  /** Groups of channels per token, keys balanced against the last queries where asked. */
  z.strictObject({
    type: z.literal('mikv'),
    bits: bits.default(2),
    groupChannels: z.int().min(1).max(1024).default(16),
    balanced: z.boolean().default(true),
  }),
  /** Keys per channel, values per token after their channels are scaled. */
  z.strictObject({ type: z.literal('zipcache'), bits: bits.default(2) }),
  /** Keys of 2 bits in the widest channels and 1 in the others; ternary values. */
  z.strictObject({
    type: z.literal('vidkv'),
    twoBitShare: z.number().min(0).max(1).default(0.5),
    fourier: z.boolean().default(true),
    groupTokens: groupTokens.default(32),
  }),
  /** An entropy-coded stream of deltas to anchors, one every so many rows; 0 for none. */
  z.strictObject({
    type: z.literal('cachegen'),
    anchorRows: z.int().min(0).max(512).default(10),
  }),
]);
export type QuantisedForm = z.output<typeof quantisedForm>;

/**
 * Forms that hold the same slots in fewer numbers. A share is of the channels of the matrix that is
 * encoded, so that a rank keeps its meaning on a model of another width; 1 leaves it in f16.
 */
export const projectedForm = z.discriminatedUnion('type', [
  /** The truncated SVD of a layer's heads together. */
  z.strictObject({
    type: z.literal('low-rank'),
    keyShare: share.default(0.25),
    valueShare: share.default(1),
  }),
  /** Coefficients shared by neighbouring layers. */
  z.strictObject({
    type: z.literal('cross-layer'),
    layersPerGroup: z.int().min(1).max(64).default(4),
    keyShare: share.default(0.125),
    valueShare: share.default(0.1875),
  }),
  /** Principal components per head, ranks given out greedily over layers, heads, keys and values. */
  z.strictObject({ type: z.literal('principal'), share: share.default(0.6) }),
  /** A low-rank form of the key and value projections. */
  z.strictObject({
    type: z.literal('projection'),
    share: share.default(0.5),
    /** `weights` belongs to the model; `prompt` is this prompt's optimum, and carried. */
    fit: z.enum(['weights', 'prompt']).default('weights'),
    /** Of the coefficients. */
    bits: bits.default(16),
  }),
  /** Pairs of neighbouring layers as one direction and two lengths, from a share of the depth on. */
  z.strictObject({
    type: z.literal('spherical'),
    share: z.number().min(0).max(1).default(0.5),
    /** Share of the slots, those with the widest angle, that stay unmerged. */
    retained: z.number().min(0).max(1).default(0.05),
    fromShare: z.number().min(0).max(1).default(0.5),
  }),
]);
export type ProjectedForm = z.output<typeof projectedForm>;
