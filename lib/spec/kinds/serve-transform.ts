import '../zod-config';
import * as z from 'zod';
import { TRANSFORM_IDS } from '../presets';

const share = (fallback: number, high = 1) => z.number().min(0).max(high).default(fallback);
const tokens = z.int().min(0).max(10_000_000).default(0);

/**
 * How a compressed or changed model costs, relative to the same model in 16 bits: multipliers, and
 * budgets in tokens where a multiplier would depend on the context. 1 and 0 change nothing.
 */
export const transformVector = z.strictObject({
  /** W: bytes of the linear weights, stored and read. */
  weightBytes: z.number().min(0.01).max(4).default(1),
  /** Every iteration unpacks the weights to 16 bits in memory, and matrix products read those. */
  unpacksWeights: z.boolean().default(false),
  /** G: time of the matrix products' arithmetic. */
  gemmTime: z.number().min(0.01).max(4).default(1),
  /** F: share of the matrix products that a prompt token goes through. */
  prefillFlops: z.number().min(0.01).max(1).default(1),
  /** A_p: share of query-key pairs of a prompt that are computed. */
  prefillAttention: share(1),
  /** Most keys that a prompt's query looks at in sparse attention; 0 for no such limit. */
  prefillBudgetTokens: tokens,
  /** Time of finding those keys, as a share of the dense attention. */
  prefillIndex: share(0),
  /** A_d: KV bytes that a decode reads. */
  decodeKvBytes: share(1, 4),
  /** Most tokens that a decode reads in heads that are not full; 0 for no such limit. */
  decodeBudgetTokens: tokens,
  /** Share of heads (or layers) that read everything in spite of the budgets. */
  fullHeads: share(0),
  /** Bytes read to choose what a decode reads, as a share of all its KV bytes. */
  decodeIndex: share(0),
  /** M: KV bytes stored per token. */
  kvBytes: z.number().min(0.01).max(4).default(1),
  /** Most tokens that are stored in heads that are not full; 0 for no such limit. */
  kvBudgetTokens: tokens,
  /** Length of request for which a storage budget is planned: block plans know one number a token. */
  planTokens: z.int().min(1).max(10_000_000).default(16_384),
  /** Share of the layers' weights that lie below the accelerator's memory: on a peer, a host, flash. */
  streamedWeights: share(0),
  /** Share of those that every iteration reads over the link; less where only some neurons are wanted. */
  streamedReads: share(1),
  /** Of the link, for each accelerator. */
  streamGigabytesPerSecond: z.number().min(0.001).max(100_000).default(16),
  /** Share of an iteration under which reads hide: 1 where they are begun a layer ahead, 0 on demand. */
  streamOverlap: share(1),
  /** Seconds of an iteration that nothing else covers. */
  overheadMicroseconds: z.number().min(0).max(1e6).default(0),
});
export type TransformVector = z.output<typeof transformVector>;

/** What is done to the model: nothing, a published method, or a vector of one's own. */
export const serveTransform = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('preset'), preset: z.enum(TRANSFORM_IDS).default('swiftkv') }),
  z.strictObject({ type: z.literal('vector'), ...transformVector.shape }),
]);
export type ServeTransform = z.output<typeof serveTransform>;

/** Speculative decoding: k drafted tokens, verified in one pass over all requests. */
export const serveSpeculation = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    type: z.literal('draft'),
    draftTokens: z.int().min(1).max(64).default(4),
    /** Chance that a drafted token is accepted when all before it were. */
    acceptance: z.number().min(0).max(1).default(0.7),
    /** The same by position, as measured; in its place where not empty. */
    acceptances: z.array(z.number().min(0).max(1)).max(64).default([]),
    /** Time of drafting one token for the batch, as a share of the target's decode step. */
    draftCost: z.number().min(0).max(4).default(0.05),
    /** Who measured the acceptances, in words; empty where they are chosen. */
    measuredBy: z.string().max(200).default(''),
  }),
]);
export type ServeSpeculation = z.output<typeof serveSpeculation>;

/** What may run at the same time inside an iteration, for the roofline. */
export const serveOverlap = z.discriminatedUnion('type', [
  /** One operator after another. */
  z.strictObject({ type: z.literal('serial') }),
  /** All arithmetic of a layer under all its memory traffic; collectives after them. */
  z.strictObject({ type: z.literal('fused') }),
  /** Compute, memory and network as three lanes fed by nano-batches (NanoFlow). */
  z.strictObject({
    type: z.literal('lanes'),
    /** Parts of the batch: each reads the weights again. */
    nanoBatches: z.int().min(1).max(16).default(2),
    /** How much longer the longest lane takes beside the others; an assumption, not a measurement. */
    interference: z.number().min(0).max(4).default(0.2),
    /** Share of the other lanes that nothing covers; an assumption too. */
    uncovered: share(0),
  }),
  /** Two halves of the tokens, the collective of one under the compute of the other (TokenWeave). */
  z.strictObject({
    type: z.literal('token-split'),
    /** Iterations below run whole, with the collective and the norm fused. */
    thresholdTokens: z.int().min(0).max(1_000_000).default(1024),
    /** Share of the multiprocessors that the collective takes from the other half. */
    networkShare: share(8 / 132),
  }),
]);
export type ServeOverlap = z.output<typeof serveOverlap>;
