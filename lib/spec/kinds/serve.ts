import '../zod-config';
import * as z from 'zod';
import { HARDWARE_IDS, MODEL_IDS } from '../presets';
import { composedStrategy, poolDegrees } from './serve-parts';
import { serveProfile } from './serve-profile';
import { serveOverlap, serveSpeculation, serveTransform } from './serve-transform';

const count = (low: number, high: number, fallback: number) =>
  z.int().min(low).max(high).default(fallback);

/** vLLM V0 rule: prefill-only batches first, else decode all; recompute preemption. */
const vllmStrategy = z.strictObject({
  type: z.literal('vllm'),
  replicas: count(1, 64, 1),
  maxBatchedTokens: count(1, 1_000_000, 4096),
  maxSequences: count(1, 8192, 128),
});

/** vLLM V1: one token budget for running and then waiting requests, prefix caching, one step ahead. */
const vllmV1Strategy = z.strictObject({
  type: z.literal('vllm-v1'),
  replicas: count(1, 64, 1),
  /**
   * Replicas that are data-parallel ranks of one model: each holds whole experts (expert parallel) or
   * a slice of every one, and all of them step together. Needs operator tables with `moe.csv`.
   */
  sharedExperts: z.enum(['none', 'whole', 'sliced']).default('none'),
  /** Tokens of one step, prompts and decodes alike (`max_num_batched_tokens`; 2048 is the server's default). */
  maxBatchedTokens: count(1, 1_000_000, 2048),
  maxSequences: count(1, 8192, 256),
  /** Most prompt tokens of one request in one step; 0 for no such limit. */
  longPrefillTokens: count(0, 1_000_000, 0),
  chunkedPrefill: z.boolean().default(true),
  /** Cached KV blocks are found again by their tokens, where the workload has token ids or hashes. */
  prefixCaching: z.boolean().default(true),
  /** Admit a request only when blocks for its whole prompt are free. */
  reservePrompt: z.boolean().default(true),
  /** First come first served, or by the workload's `priority`, the smallest first. */
  order: z.enum(['fcfs', 'priority']).default('fcfs'),
  /** The next step is formed while one runs: hides the scheduler, delays arrivals by a step. */
  asyncScheduling: z.boolean().default(true),
  /** Batches run as recorded graphs of padded sizes, which operator tables then look up. */
  cudaGraphs: z.boolean().default(true),
  /** Time of each request before the scheduler sees it (HTTP, tokenizer); not measured, so 0. */
  frontEndMilliseconds: z.number().min(0).max(60_000).default(0),
  /** Idle time of the accelerator between two steps; not measured, so 0. */
  stepBoundaryMicroseconds: z.number().min(0).max(1e6).default(0),
});

/** Sarathi-Serve: decodes first, then prefill chunks up to a token budget. */
const sarathiStrategy = z.strictObject({
  type: z.literal('sarathi'),
  replicas: count(1, 64, 1),
  tokenBudget: count(1, 8192, 512),
  maxSequences: count(1, 8192, 128),
});

/** DistServe: prefill pool, decode pool, KV pulled over a link. */
const distserveStrategy = z.strictObject({
  type: z.literal('distserve'),
  prefillReplicas: count(1, 64, 1),
  decodeReplicas: count(1, 64, 1),
  maxPrefillTokens: count(1, 1_000_000, 4096),
  maxPrefillSequences: count(1, 8192, 128),
  maxDecodeSequences: count(1, 8192, 128),
  /** A decode replica pulls while the blocks its waiting list needs stay under this share of its blocks. */
  pullThreshold: z.number().min(0).max(1).default(0.05),
  linkGigabytesPerSecond: z.number().min(0.001).max(10_000).default(25),
  linkLatencyMicroseconds: z.number().min(0).max(1e6).default(10),
  ...poolDegrees,
});

export const serveStrategy = z.discriminatedUnion('type', [
  vllmStrategy,
  vllmV1Strategy,
  sarathiStrategy,
  distserveStrategy,
  composedStrategy,
]);
export type ServeStrategy = z.output<typeof serveStrategy>;

/** How an iteration's time is found. Three back-ends of one signature. */
export const serveCostModel = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('roofline'),
    /** Share of the peak that matrix products reach; of the bandwidth that memory-bound operators reach. */
    computeEfficiency: z.number().min(0.01).max(1).default(0.7),
    bandwidthEfficiency: z.number().min(0.01).max(1).default(0.8),
    overheadMicroseconds: z.number().min(0).max(1e6).default(0),
    /** Start-up of each tensor-parallel all-reduce. */
    collectiveLatencyMicroseconds: z.number().min(0).max(1e6).default(0),
    overlap: serveOverlap.prefault({ type: 'serial' }),
  }),
  /** Operator fits of other accelerators as shares of this one's data sheet: no tables needed. */
  z.strictObject({ type: z.literal('calibrated') }),
  /** Published coefficients, a + b sum(n) + c sum(n^2) for prefill and a + b sum(context) + c batch for decode. */
  z.strictObject({ type: z.literal('fitted') }),
  /** Operator tables from a file bound to the cell. */
  z.strictObject({ type: z.literal('tables'), fileName: z.string().max(200).default('') }),
  /** Measured times of each operator (LLMServingSim's CSV layout), from files bound to the cell. */
  z.strictObject({
    type: z.literal('op-tables'),
    fileName: z.string().max(200).default(''),
    /** Link of the all-reduces; 0 takes the hardware's. */
    linkGigabytesPerSecond: z.number().min(0).max(10_000).default(0),
    linkLatencyMicroseconds: z.number().min(0).max(1e6).default(10),
  }),
  /** Coefficients fitted to operator tables or to a log of requests: nothing else is needed. */
  z.strictObject({
    type: z.literal('profile'),
    profile: serveProfile.prefault({ law: 'iteration', baseMicroseconds: 10_000 }),
  }),
]);
export type ServeCostModel = z.output<typeof serveCostModel>;

export const serveParams = z.strictObject({
  model: z.enum(MODEL_IDS).default('llama-3.1-8b'),
  hardware: z.enum(HARDWARE_IDS).default('a100-80g'),
  tensorParallel: count(1, 16, 1),
  /** Stages of a replica, each with a share of the layers: as many micro-batches are in flight. */
  pipelineParallel: count(1, 16, 1),
  strategy: serveStrategy.prefault({ type: 'vllm' }),
  memory: z
    .strictObject({
      blockTokens: count(1, 256, 16),
      utilization: z.number().min(0.05).max(1).default(0.9),
      watermark: z.number().min(0).max(0.5).default(0.01),
      /** KV blocks per replica; 0 plans them from the model and the hardware. */
      kvBlocks: count(0, 10_000_000, 0),
    })
    .prefault({}),
  costModel: serveCostModel.prefault({ type: 'roofline' }),
  transform: serveTransform.prefault({ type: 'none' }),
  speculation: serveSpeculation.prefault({ type: 'none' }),
  energy: z
    .strictObject({
      /** Power of an idle accelerator over the board power of its data sheet: an assumption. */
      idleShare: z.number().min(0).max(1).default(0.15),
      /** In any currency; 0 for no figures of cost. */
      pricePerAcceleratorHour: z.number().min(0).max(10_000).default(0),
    })
    .prefault({}),
  slo: z
    .strictObject({
      ttftSeconds: z.number().min(0.001).max(3600).default(1),
      tpotSeconds: z.number().min(0.001).max(60).default(0.05),
      /** Share of requests that must meet both for the run to attain the SLO. */
      attainment: z.number().min(0.01).max(1).default(0.9),
    })
    .prefault({}),
  /** The run stops at this simulated time; unfinished requests are violations. */
  horizonSeconds: z.number().min(1).max(1e7).default(36_000),
});
export type ServeParams = z.output<typeof serveParams>;
