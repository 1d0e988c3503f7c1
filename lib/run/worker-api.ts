import type {
  AdapterInfo,
  BlockList,
  BlockTile,
  MapBase,
  MapRect,
  MapScore,
  MapWindow,
} from '../attention/types';
import type { WeightCall } from '../attention/weights/call';
import type { CacheHead } from '../evaluate/cache-head';
import type { CacheResult } from '../evaluate/cell-result';
import type { ModelCellResult } from '../evaluate/model-result';
import type { RecallGapResult } from '../evaluate/recall-gap-result';
import type { CheckCellResult } from '../serving/checks/run-check';
import type { PlanResult } from '../serving/plan/result';
import type { SweepResult } from '../serving/sweep-result';
import type { RequestTrace } from '../serving/trace/types';
import type { ServeResult } from '../serving/types';
import type { CacheParams } from '../spec/kinds/cache';
import type { CheckParams } from '../spec/kinds/check';
import type { ModelParams } from '../spec/kinds/model';
import type { PlanParams } from '../spec/kinds/plan';
import type { RecallGapParams } from '../spec/kinds/recall-gap';
import type { ServeParams } from '../spec/kinds/serve';
import type { SpeculateParams } from '../spec/kinds/speculate';
import type { SweepParams } from '../spec/kinds/sweep';
import type { WorkloadParams } from '../spec/kinds/workload';
import type { CellOf } from '../spec/notebook';
import type { SpeculateResult } from '../speculate/cell-result';
import type { Workload } from '../workload/types';
import type { CacheHeadPlace } from './cache-head-job';
import type { KernelKind } from './job-kinds';
import type { SweepSubjectData } from './sweep-service';
import type { CellOutput, Progress } from './types';
import type { WhatIfAnswer, WhatIfQuestion } from './what-if-desk';

/** Called at most ten times a second. Pass it through `Comlink.proxy`. */
export type OnProgress = (progress: Progress) => void;

/** Every job has an id chosen by the caller; `cancel(jobId)` makes its promise reject with an `AbortError`. */
export interface Cancellable {
  cancel(jobId: number): void;
}

/** A cell of a kernel kind, as its worker needs it. */
export type KernelCall = {
  [K in KernelKind]: {
    readonly kind: K;
    readonly params: CellOf<K>['params'];
    /** The file bound to the cell, where its params need one. */
    readonly file?: File | undefined;
  };
}[KernelKind];
export type AttentionCall = Extract<KernelCall, { kind: 'attention' }>;

/** A cell with a map: which of its values an output is made of. */
export type MapCall = AttentionCall | WeightCall;

/** What a call of a kind yields. */
export type KernelOutput<K extends KernelKind = KernelKind> = Extract<CellOutput, { kind: K }>;

/** Kernels: one worker, one GPU device, recreated when lost. */
export interface KernelApi extends Cancellable {
  /** The adapter in use, or undefined where the browser has no WebGPU. */
  adapter(): Promise<AdapterInfo | undefined>;
  /** The output is of the call's kind. */
  run(jobId: number, call: KernelCall, onProgress: OnProgress): Promise<KernelOutput>;
  /** The cell's head, reduced to at most 512 x 512. Recomputes Q, K and LSE of an attention when they are not resident. */
  mapBase(
    jobId: number,
    call: MapCall,
    batch: number,
    head: number,
    onProgress?: OnProgress,
  ): Promise<MapBase>;
  /** Exact weights of at most 512 x 512 elements. */
  mapWindow(
    jobId: number,
    call: MapCall,
    batch: number,
    head: number,
    rect: MapRect,
  ): Promise<MapWindow>;
  /** One element's score, before its probability. */
  mapScore(
    jobId: number,
    call: AttentionCall,
    batch: number,
    head: number,
    element: { readonly query: number; readonly key: number },
  ): Promise<MapScore>;
  /** The list of key blocks that a kernel with this tile visits for one head. */
  mapBlocks(
    jobId: number,
    call: AttentionCall,
    batch: number,
    head: number,
    tile: BlockTile,
  ): Promise<BlockList>;
  /** Q, K, V, output and LSE as a safetensors file; computed again when they are not resident. */
  tensors(jobId: number, call: AttentionCall, onProgress: OnProgress): Promise<Blob>;
}

/** Transformers and their caches: one worker, which keeps the model it loaded last. */
export interface ModelApi extends Cancellable {
  /** `file` is the bundle bound to the cell when its source is `file`. */
  model(
    jobId: number,
    params: ModelParams,
    file: Blob | undefined,
    onProgress: OnProgress,
  ): Promise<ModelCellResult>;
  /** `model` says which model, the shipped one where it is undefined; `file` is that cell's. */
  cache(
    jobId: number,
    params: CacheParams,
    model: ModelParams | undefined,
    file: Blob | undefined,
    onProgress: OnProgress,
  ): Promise<CacheResult>;
  /**
   * One head of the sample that a cache cell looks at: who attends to what with nothing dropped, and
   * what an entry's policy let every query see.
   */
  cacheHead(
    jobId: number,
    params: CacheParams,
    model: ModelParams | undefined,
    file: Blob | undefined,
    place: CacheHeadPlace,
    onProgress: OnProgress,
  ): Promise<CacheHead>;
  /** A check of the cache lab, on the shipped models. */
  check(jobId: number, params: CheckParams, onProgress: OnProgress): Promise<CheckCellResult>;
  /** The shipped siblings on more and more pairs. */
  recallGap(
    jobId: number,
    params: RecallGapParams,
    onProgress: OnProgress,
  ): Promise<RecallGapResult>;
  /** `model` and `file` as for `cache`. */
  speculate(
    jobId: number,
    params: SpeculateParams,
    model: ModelParams | undefined,
    file: Blob | undefined,
    onProgress: OnProgress,
  ): Promise<SpeculateResult>;
}

/** Workloads and simulations: one worker, and those that it starts for a sweep. Files are read in it, in chunks. */
export interface SimulationApi extends Cancellable {
  workload(
    jobId: number,
    params: WorkloadParams,
    file: Blob | undefined,
    onProgress: OnProgress,
  ): Promise<Workload>;
  /** `tables` is the file bound to the serve cell when its cost model is `tables`. */
  serve(
    jobId: number,
    params: ServeParams,
    workload: Workload,
    tables: Blob | undefined,
    onProgress: OnProgress,
  ): Promise<ServeResult>;
  /** The same run again, to its end or that of one request: why it waited. */
  trace(
    jobId: number,
    params: ServeParams,
    workload: Workload,
    tables: Blob | undefined,
    requestId: number,
    onProgress: OnProgress,
  ): Promise<RequestTrace>;
  /** The same run under other conditions, for sliders: small results, many times a second. */
  whatIf(jobId: number, question: WhatIfQuestion): Promise<WhatIfAnswer>;
  /** Progress carries the points that are there. */
  sweep(
    jobId: number,
    subject: SweepSubjectData,
    params: SweepParams,
    onProgress: OnProgress,
  ): Promise<SweepResult>;
  /** Starts the workers of sweeps and compiles what these strategies run. */
  warm(strategies: readonly ServeParams[]): Promise<void>;
  check(jobId: number, params: CheckParams, onProgress: OnProgress): Promise<CheckCellResult>;
  /** Progress carries the plans as far as they are known. */
  plan(
    jobId: number,
    subject: SweepSubjectData,
    params: PlanParams,
    onProgress: OnProgress,
  ): Promise<PlanResult>;
}
