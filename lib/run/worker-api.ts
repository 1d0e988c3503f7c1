import type { RecurrentResult } from '../attention/recurrent/result';
import type {
  AdapterInfo,
  AttentionResult,
  BlockList,
  BlockTile,
  MapBase,
  MapRect,
  MapScore,
  MapWindow,
} from '../attention/types';
import type { ServeResult } from '../serving/types';
import type { AttentionParams } from '../spec/kinds/attention';
import type { RecurrentParams } from '../spec/kinds/recurrent';
import type { ServeParams } from '../spec/kinds/serve';
import type { WorkloadParams } from '../spec/kinds/workload';
import type { Workload } from '../workload/types';
import type { Progress } from './types';

/** Called at most ten times a second. Pass it through `Comlink.proxy`. */
export type OnProgress = (progress: Progress) => void;

/** Every job has an id chosen by the caller; `cancel(jobId)` makes its promise reject with an `AbortError`. */
export interface Cancellable {
  cancel(jobId: number): void;
}

/** Kernels: one worker, one GPU device, recreated when lost. */
export interface KernelApi extends Cancellable {
  /** The adapter in use, or undefined where the browser has no WebGPU. */
  adapter(): Promise<AdapterInfo | undefined>;
  attention(
    jobId: number,
    params: AttentionParams,
    onProgress: OnProgress,
  ): Promise<AttentionResult>;
  recurrent(
    jobId: number,
    params: RecurrentParams,
    onProgress: OnProgress,
  ): Promise<RecurrentResult>;
  /** The attention cell's head, reduced to at most 512 x 512. Recomputes Q, K and LSE from `params` when they are not resident. */
  mapBase(jobId: number, params: AttentionParams, batch: number, head: number): Promise<MapBase>;
  /** Exact probabilities of at most 512 x 512 elements. */
  mapWindow(
    jobId: number,
    params: AttentionParams,
    batch: number,
    head: number,
    rect: MapRect,
  ): Promise<MapWindow>;
  /** One element's score, before its probability. */
  mapScore(
    jobId: number,
    params: AttentionParams,
    batch: number,
    head: number,
    element: { readonly query: number; readonly key: number },
  ): Promise<MapScore>;
  /** The list of key blocks that a kernel with this tile visits for one head. */
  mapBlocks(
    jobId: number,
    params: AttentionParams,
    batch: number,
    head: number,
    tile: BlockTile,
  ): Promise<BlockList>;
}

/** Workloads and simulations: one worker. Files are read in it, in chunks. */
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
}
