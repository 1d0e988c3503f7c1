import type { AttentionParams, AttentionShape } from '../spec/kinds/attention';
import type { AttentionProgram } from './program';
import type { HeadChoice } from './select/types';

/** The GPU (or its absence) that produced a number. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** A software adapter: its times say nothing about a GPU. */
  readonly isFallback: boolean;
  readonly hasTimestampQuery: boolean;
  readonly hasSubgroups: boolean;
  readonly hasShaderF16: boolean;
  readonly maxBufferBytes: number;
}

/** Row-major f32 tensors of one attention call; see `AttentionShape` for their shapes. */
export interface AttentionInputs {
  readonly shape: AttentionShape;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly program: AttentionProgram;
}

/** Output [batch, queryHeads, queries, headSize] and row log-sum-exp [batch, queryHeads, queries]; a fully masked row has output 0 and lse -Infinity. */
export interface AttentionOutput {
  readonly output: Float32Array | Float64Array;
  readonly lse: Float32Array | Float64Array;
}

/**
 * Key blocks that each query block visits, as CSR: entries of query block i are
 * `blocks[offsets[i] .. offsets[i + 1])`. Within a row full blocks come first; `fullCounts[i]` of
 * them need no mask test.
 */
export interface BlockList {
  readonly blockQueries: number;
  readonly blockKeys: number;
  readonly queryBlocks: number;
  readonly keyBlocks: number;
  readonly offsets: Uint32Array;
  readonly fullCounts: Uint32Array;
  readonly blocks: Uint32Array;
}

/** The tile of a block list, and the engine that walked it. */
export interface BlockTile {
  readonly blockQueries: number;
  readonly blockKeys: number;
  readonly engine: 'webgpu' | 'wasm' | 'cpu';
}

/** Where and how far an output is from the f64 reference. */
export interface AttentionError {
  readonly maxAbs: number;
  /** Relative to max(|reference|, 1e-3 of the largest reference magnitude). */
  readonly maxRel: number;
  readonly lseMaxAbs: number;
  readonly at: {
    readonly batch: number;
    readonly head: number;
    readonly query: number;
    readonly dim: number;
  };
  readonly checkedRows: number;
  readonly totalRows: number;
  readonly tolerance: number;
  readonly withinTolerance: boolean;
}

export type Clock = 'timestamp-query' | 'performance.now';

export interface AttentionTiming {
  readonly medianSeconds: number;
  readonly samplesSeconds: readonly number[];
  readonly warmupRuns: number;
  readonly clock: Clock;
  /** Useful work: 4 x headSize per unmasked query-key pair and head. */
  readonly flops: number;
  readonly gigaflopsPerSecond: number;
}

/**
 * The adapter's own best, measured by short probes: the roof that percentages refer to. Of
 * WebAssembly, that of its threads together.
 */
export interface AdapterRoof {
  readonly matmulGigaflopsPerSecond: number;
  readonly copyGigabytesPerSecond: number;
  readonly clock: Clock;
  readonly measuredSeconds: number;
  /** Of WebAssembly: whose it is together. */
  readonly threads?: number;
}

/** Where a run stands under a roof; see `roofline.ts`. */
export interface RoofPlace {
  /** Useful arithmetic per byte that must be moved. */
  readonly flopsPerByte: number;
  /** The side of the roof above the run. */
  readonly bound: 'compute' | 'bandwidth';
  readonly attainableGigaflopsPerSecond: number;
  /** Of what is attainable. */
  readonly percent: number;
}

export interface PlanChoice {
  readonly id: string;
  readonly label: string;
  /** Every candidate measured on this adapter, best first. */
  readonly candidates: readonly { readonly id: string; readonly milliseconds: number }[];
}

export interface AttentionResult {
  readonly params: AttentionParams;
  readonly engine: 'webgpu' | 'wasm' | 'cpu';
  /** Why WebAssembly ran although WebGPU was allowed. */
  readonly engineNote: string | undefined;
  readonly adapter: AdapterInfo | undefined;
  readonly plan: PlanChoice | undefined;
  readonly error: AttentionError | undefined;
  readonly timing: AttentionTiming;
  readonly roof: AdapterRoof | undefined;
  /** Undefined without a roof. */
  readonly roofPlace: RoofPlace | undefined;
  /** `roofPlace.percent`: gigaflopsPerSecond over the lesser of compute roof and intensity x bandwidth. */
  readonly percentOfRoof: number | undefined;
  readonly density: {
    /** Unmasked query-key pairs over all pairs. */
    readonly elements: number;
    /** The pairs were counted on a spread of rows. */
    readonly isEstimate: boolean;
    /** Visited blocks over all blocks. */
    readonly blocks: number;
  };
  readonly blockList: {
    readonly blockQueries: number;
    readonly blockKeys: number;
    readonly full: number;
    readonly partial: number;
    readonly total: number;
  };
  /** How keys were selected, where they were. */
  readonly selection: SelectionSummary | undefined;
  readonly notes: readonly string[];
  /** Token of every key, where the file of the inputs names them. */
  readonly tokens?: readonly string[] | undefined;
}

/** A dynamic selection, apart from the attention that it saves work for. */
export interface SelectionSummary {
  readonly method: string;
  /** Time on the CPU for every head, apart from the attention's. */
  readonly seconds: number;
  /** 2 x the multiply-adds of the dot products spent on selecting. */
  readonly flops: number;
  /** What every head selected by, [batch, queryHeads]; absent of older results. */
  readonly patterns?: readonly string[];
  /** Which alternative every head took, [batch, queryHeads], where it had any. */
  readonly choices?: readonly HeadChoice[];
  /** Heads of batch entry 0 that were compared with dense attention. */
  readonly heads: readonly {
    readonly head: number;
    readonly pattern: string;
    /** Kept pairs over the pairs that the variant leaves. */
    readonly density: number;
    /** Mean over queries of the dense probability that is kept. */
    readonly massRecall: number;
    /** Relative L2 distance of the output from dense attention. */
    readonly outputError: number;
  }[];
}

/**
 * Reduction of one head's map: cells of equal size, row-major [rows, columns], NaN where every
 * element is masked. Of signed weights the maximum is that of largest magnitude, with its sign.
 */
export interface MapBase {
  readonly rows: number;
  readonly columns: number;
  readonly queries: number;
  readonly keys: number;
  readonly max: Float32Array;
  readonly mean: Float32Array;
}

/** A rectangle of a map in element coordinates, [start, end). */
export interface MapRect {
  readonly queryStart: number;
  readonly queryEnd: number;
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** Exact probabilities or weights of a rectangle, row-major; NaN where masked. */
export interface MapWindow extends MapRect {
  readonly probabilities: Float32Array;
}

/** One element's scaled product q.k / sqrt(headSize), unmasked and unmodified, and its row's log-sum-exp. */
export interface MapScore {
  readonly score: number;
  /** Natural; -Infinity where the row is fully masked. */
  readonly lse: number;
}
