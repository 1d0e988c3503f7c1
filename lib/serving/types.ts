import type { ModelId } from '../spec/presets';
import type { LimitMetrics } from './limit-metrics';

/** A mixture of experts: each token goes to `perToken` of `count`, each with an own `ffnSize`. */
export interface ExpertsSpec {
  readonly count: number;
  readonly perToken: number;
  /** Width of the feed-forward part that every token goes through beside them; none by default. */
  readonly sharedFfnSize?: number | undefined;
}

/** A decoder-only transformer, as its published configuration gives it. */
export interface ModelSpec {
  readonly id: ModelId;
  readonly label: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly ffnSize: number;
  /** Matrices in the feed-forward block: 3 for gated (SwiGLU), 2 otherwise. */
  readonly ffnMatrices: 2 | 3;
  readonly vocabularySize: number;
  readonly maxModelTokens: number;
  readonly bytesPerWeight: number;
  readonly bytesPerKvElement: number;
  /** Experts in every layer; `ffnSize` is then that of one. */
  readonly experts?: ExpertsSpec | undefined;
  /** Where the figures come from. */
  readonly source: string;
}

/** One accelerator, as its maker's data sheet gives it. */
export interface HardwareSpec {
  readonly id: string;
  readonly label: string;
  readonly memoryBytes: number;
  /** Dense (not sparse) 16-bit matrix peak. */
  readonly peakFlopsPerSecond: number;
  readonly bandwidthBytesPerSecond: number;
  /** Link between accelerators of one machine, per direction. */
  readonly interconnectBytesPerSecond: number;
  /** Largest board power of the data sheet (TDP). */
  readonly boardWatts: number;
  readonly source: string;
}

/**
 * What a cost model may know of one iteration. One object is reused for every iteration: read it,
 * never keep it. Token counts are of the tokens computed in this iteration; contexts are the
 * tokens already in the KV cache before it.
 */
export interface BatchFeatures {
  decodeCount: number;
  /** Sum over decodes of the context length, the token being fed included. */
  decodeContextTokens: number;
  /** Shortest and longest of those contexts; 0 without decodes. */
  decodeContextMin: number;
  decodeContextMax: number;
  prefillCount: number;
  prefillTokens: number;
  /** Sum over prefills of the squared chunk length. */
  prefillTokensSquared: number;
  /** Sum over prefills of the tokens already processed before this chunk. */
  prefillContextTokens: number;
  /** The same with each request's context rounded up to 64 (Vidur's table granularity). */
  prefillContextTokensRounded: number;
  /** Sum over prefills of chunk x (context + chunk / 2): query-key pairs under the causal mask. */
  prefillAttentionPairs: number;
  /** Share of the layers that the prompts go through in this iteration; 1 if absent. */
  prefillLayerShare?: number;
  /** Whether the last layers are among them, so that the prompts reach the output head; true if absent. */
  prefillReachesHead?: boolean;
  /** Queries of each decode, when a draft is verified; 1 if absent. */
  queriesPerDecode?: number;
}

/** How the time of one iteration is found: three back-ends of this one signature. */
export interface CostModel {
  readonly kind:
    | 'roofline'
    | 'fitted'
    | 'tables'
    | 'op-tables'
    | 'silicon-tables'
    | 'calibrated'
    | 'profile';
  /** In words, for provenance: `roofline, A100-80G at 0.7 of peak compute and 0.8 of bandwidth`. */
  readonly label: string;
  readonly source: string;
  iterationSeconds(features: BatchFeatures): number;
  /**
   * Seconds of one pass of the ranks of a data-parallel group that share their experts, each with a
   * batch of its own (one without tokens runs along). Absent where the model does not price it.
   */
  groupIterationSeconds?(ranks: readonly BatchFeatures[]): number;
  /** Whether it reads `decodeContextMin` and `decodeContextMax`, which cost a pass over the batch. */
  readonly readsDecodeRange?: boolean;
  /** Whether it prices `prefillLayerShare` itself; of any other, what prompts add is scaled by it. */
  readonly pricesLayers?: true;
  /** All arithmetic and all memory traffic of an iteration, as if nothing overlapped. */
  parts?(features: BatchFeatures): {
    readonly arithmeticSeconds: number;
    readonly memorySeconds: number;
  };
  /** The models of two pools whose replicas differ; everything else here is then the decode pool's. */
  readonly perRole?: { readonly prefill: CostModel; readonly decode: CostModel };
  /** In words, how many of the iterations so far lay beyond what was measured; undefined for none. */
  extrapolation?(): string | undefined;
  /**
   * Optional, for batches of decodes alone: for how many iterations from this one on, each with a
   * context longer by `decodeCount`, every iteration takes the same time more than the one before;
   * and how much more. A model without it is asked for every iteration.
   */
  readonly decodeRun?: {
    iterations(features: BatchFeatures): number;
    slopeSeconds(features: BatchFeatures): number;
  };
}

export type LaneRole = 'mixed' | 'prefill' | 'decode' | 'encode' | 'link' | 'share';

/**
 * Iterations (or transfers) of one replica (or link), in start order, never overlapping. A lane of
 * role `share` tells how prompts and decodes share one accelerator, a row for as long as they do.
 */
export interface TimelineLane {
  readonly id: string;
  readonly label: string;
  readonly role: LaneRole;
  readonly startSeconds: Float64Array;
  readonly durationSeconds: Float64Array;
  /**
   * For a link lane: KV tokens moved. For an encoder, and for the link of what encoders make: images.
   * For a share lane, as of decodes: thousandths of the multiprocessors.
   */
  readonly prefillTokens: Int32Array;
  readonly decodeTokens: Int32Array;
  readonly batchSize: Int32Array;
  /** At the start of the iteration, after admission. */
  readonly queueLength: Int32Array;
  readonly kvBlocksUsed: Int32Array;
  readonly kvBlocksTotal: number;
  /**
   * Only in runs too long to keep every iteration: how many iterations, back to back and alike, a row
   * stands for. Its start is that of the first, its duration that of all, its blocks those at the start.
   */
  readonly runIterations?: Int32Array;
  /** Id of the lane whose memory this one has: two phases of one accelerator share their blocks. */
  readonly memoryOf?: string;
  /** For a link lane: whose KV each row moves; for an encoder, whose images. A store's writes belong to nobody. */
  readonly requestIds?: Int32Array;
  /** For a link lane: between pools, from and to a store, or what encoders have made. */
  readonly traffic?: 'transfer' | 'read' | 'write' | 'images';
}

/** Per-request outcomes, in workload order. NaN marks what did not happen before the horizon. */
export interface RequestColumns {
  /** When it was sent; of a program's later requests that is known only once the run got there. */
  readonly arrivalSeconds: Float64Array;
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  readonly firstScheduledSeconds: Float64Array;
  readonly firstTokenSeconds: Float64Array;
  readonly completedSeconds: Float64Array;
  /** Longest gap between two consecutive tokens of the request. */
  readonly maxStallSeconds: Float64Array;
  readonly restarts: Int32Array;
  /** Index of the lane that prefilled, and of the lane that decoded; -1 if none did. */
  readonly prefillLane: Int16Array;
  readonly decodeLane: Int16Array;
  /** 1 where the request was refused when it was sent: it can never fit, or an admission rule said so. */
  readonly refused: Uint8Array;
  /** Program that each request belongs to, where the workload has any. */
  readonly programIds?: Int32Array;
  /** Tokens of the last (re)prefill that a cache had, where the strategy has one. */
  readonly hitTokens?: Int32Array;
}

/** Programs from the first send of their requests to the last completion; unfinished ones do not count. */
export interface ProgramMetrics {
  readonly programs: number;
  readonly completed: number;
  readonly completionSeconds: {
    readonly mean: number;
    readonly p50: number;
    readonly p95: number;
  };
}

/** What one tier below accelerator memory did. */
export interface TierUse {
  readonly name: string;
  /** Tokens of KV that were read from it instead of being computed, and written to it. */
  readonly readTokens: number;
  readonly writtenTokens: number;
  /** Tokens that stand in it at the end, of all its stores. */
  readonly storedTokens: number;
}

export interface Percentiles {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

export interface ServeMetrics {
  readonly requests: number;
  readonly completed: number;
  readonly refused: number;
  /** Arrived before the horizon and not completed by it. */
  readonly unfinished: number;
  readonly restarts: number;
  readonly iterations: number;
  readonly makespanSeconds: number;
  readonly ttftSeconds: Percentiles;
  readonly tpotSeconds: Percentiles;
  /** Over all gaps between consecutive output tokens of one request, weighted by tokens. */
  readonly tbtSeconds: Percentiles;
  readonly e2eSeconds: Percentiles;
  readonly schedulingDelaySeconds: Percentiles;
  readonly requestsPerSecond: number;
  readonly outputTokensPerSecond: number;
  readonly totalTokensPerSecond: number;
  readonly kvUse: { readonly mean: number; readonly max: number };
  readonly busyFraction: number;
  readonly meanBatchSize: number;
  /** Requests that met both SLOs, per second of the arrival span's end to the last completion; unfinished ones never count. */
  readonly goodputPerSecond: number;
  readonly sloAttainment: number;
  readonly sloAttained: boolean;
  /** Set when the queue grows without bound: the figures then depend on the trace's length. */
  readonly unstable: boolean;
  readonly unstableReason: string | undefined;
  /** Where the workload has programs. */
  readonly programs?: ProgramMetrics;
  /** Where the workload has time limits of its own. */
  readonly limits?: LimitMetrics;
  /** From the board power of the data sheet and the work of every iteration: an estimate. */
  readonly energyJoules?: number;
  /** Per output token of completed requests. */
  readonly joulesPerToken?: number;
  /** Per million output tokens, where a price per accelerator-hour is given. */
  readonly costPerMillionTokens?: number;
}

/** A distribution as ascending distinct values with weights; enough for exact percentiles and a CDF. */
export interface WeightedSamples {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

export interface ServeResult {
  readonly metrics: ServeMetrics;
  readonly lanes: readonly TimelineLane[];
  readonly requests: RequestColumns;
  readonly tbt: WeightedSamples;
  readonly costModel: {
    readonly kind: CostModel['kind'];
    readonly label: string;
    readonly source: string;
    /** Set where iterations lay beyond what the cost model was measured on. */
    readonly extrapolated?: string | undefined;
  };
  /** Prompt tokens that asked a prefix cache, and those that it had; where the strategy has one. */
  readonly prefixCache?: { readonly queriedTokens: number; readonly hitTokens: number };
  /** Tiers below accelerator memory, where the strategy has any. */
  readonly tiers?: readonly TierUse[];
  /** KV copied to host memory and back, where a strategy swaps. */
  readonly swapping?: {
    readonly movedTokens: number;
    /** Time for which iterations were held up by copies. */
    readonly stallSeconds: number;
  };
  readonly kvPlan: {
    readonly blocks: number;
    readonly blockTokens: number;
    readonly label: string;
  };
  readonly accelerators: number;
  readonly notes: readonly string[];
  /** Wall time of the simulation itself. */
  readonly wallSeconds: number;
}
