import type { CacheHead } from '../evaluate/cache-head';
import type { RequestTrace } from '../serving/trace/types';
import type { WhatIfFactors } from '../serving/what-if/factors';
import type { WhatIfResult } from '../serving/what-if/what-if-run';
import type { Notebook } from '../spec/notebook';
import type { CacheHeadPlace } from './cache-head-job';
import type { CellOutput, CellResult, CellState, Progress } from './types';
import type { KernelApi, OnProgress } from './worker-api';

/** What the page shows of one cell. Immutable: a new object whenever anything in it changes. */
export interface CellStatus {
  readonly state: CellState;
  readonly progress: Progress | undefined;
  /**
   * What is there of the result of a run that goes on, or that was ended early: kept until the cell
   * is run again or changes.
   */
  readonly partial: CellOutput | undefined;
  /** One sentence, set in state `failed`, and when a worker had to be restarted. */
  readonly message: string | undefined;
  /** The newest result there is. Kept (and shown dimmed) while a newer one is on its way. */
  readonly result: CellResult | undefined;
  /** The result belongs to earlier params or inputs. */
  readonly isResultStale: boolean;
  /** Expected wall time of a run, for the Run button. */
  readonly estimateSeconds: number | undefined;
}

/** What a cell reads as before anything happened to it. */
export const IDLE_STATUS: CellStatus = {
  state: 'idle',
  progress: undefined,
  partial: undefined,
  message: undefined,
  result: undefined,
  isResultStale: false,
  estimateSeconds: undefined,
};

/** The kernel worker's map calls, without job ids; latest call of the same kind wins. */
export interface MapSource {
  base: (batch: number, head: number, onProgress?: OnProgress) => ReturnType<KernelApi['mapBase']>;
  window: (
    batch: number,
    head: number,
    rect: Parameters<KernelApi['mapWindow']>[4],
  ) => ReturnType<KernelApi['mapWindow']>;
  /** Only attention cells have scores and blocks to tell of. */
  score: (
    batch: number,
    head: number,
    element: Parameters<KernelApi['mapScore']>[4],
  ) => ReturnType<KernelApi['mapScore']>;
  /** The block list that the result's kernel walked for a head. */
  blocks: (batch: number, head: number) => ReturnType<KernelApi['mapBlocks']>;
  /** The same calls for a reader of its own: they replace only each other. */
  lane: (name: string, options?: LaneOptions) => MapSource;
}

export interface LaneOptions {
  /** Pending jobs go first. */
  readonly isBackground?: boolean;
  /** Values of the attention without its selection of keys: where its mass is, kept or not. Block lists stay those of the kernel. */
  readonly isUnselected?: boolean;
  /** Of a decode cell: the storage that holds the keys, from 1; 0 is the keys as they were made. */
  readonly storage?: number;
}

/** A notebook being worked on: documents in, statuses out. No React in it; the page subscribes. */
export interface Session {
  readonly notebook: Notebook;
  /** Replaces the document. Cells whose params or inputs changed turn stale, and so do their descendants. */
  setNotebook(notebook: Notebook): void;
  /** Statuses by cell id; the map is a new object after every change (for `useSyncExternalStore`). */
  statuses(): ReadonlyMap<string, CellStatus>;
  subscribe(listener: () => void): () => void;
  /** Runs the cell after its stale ancestors. Resolves when it is done, failed or cancelled; never rejects. */
  run(cellId: string): Promise<void>;
  /** Everything that is not done, in document order. */
  runAll(): Promise<void>;
  cancel(cellId: string): void;
  cancelAll(): void;
  /** Binds a file the user chose to a workload cell, a serve cell whose cost model is `tables`, or an attention cell. */
  bindFile(cellId: string, file: File): void;
  boundFile(cellId: string): File | undefined;
  /** Results bundled with the page; used only where the spec hash still fits the cell. */
  loadRecorded(results: ReadonlyMap<string, CellResult>): void;
  /** Map calls over one attention, compose, decode or recurrent cell. */
  mapSource(cellId: string): MapSource;
  /**
   * A head of the sample that a cache cell's result on show looks at. Kept, so that coming back is
   * instant; a newer call of the same reader makes the older reject with an `AbortError`.
   */
  cacheHead(cacheCellId: string, place: CacheHeadPlace, reader: string): Promise<CacheHead>;
  /**
   * Why one request of a serve cell's result waited: the run made again, to the end of that request.
   * Rejects with one sentence where the cell has changed since, and with an `AbortError` once aborted.
   */
  traceRequest(serveCellId: string, requestId: number, signal?: AbortSignal): Promise<RequestTrace>;
  /** A serve cell's run under other conditions; rejects as `traceRequest` does. */
  whatIf(serveCellId: string, factors: WhatIfFactors, signal?: AbortSignal): Promise<WhatIfResult>;
  /** The same for a moving slider: undefined where a newer question came before this one was begun. */
  whatIfNewest(
    serveCellId: string,
    factors: WhatIfFactors,
    signal?: AbortSignal,
  ): Promise<WhatIfResult | undefined>;
  /** Q, K, V, output and LSE of the cell's result as a safetensors file; see `tensorFile`. */
  tensors(attentionCellId: string, onProgress?: OnProgress): Promise<Blob>;
  dispose(): void;
}
