import type { ComposeResult } from '../attention/compose/result';
import type { DecodeResult } from '../attention/decode/result';
import type { RecurrentResult } from '../attention/recurrent/result';
import type { AdapterInfo, AttentionResult, Clock, MapBase } from '../attention/types';
import type { CacheResult } from '../evaluate/cell-result';
import type { ModelCellResult } from '../evaluate/model-result';
import type { RecallGapResult } from '../evaluate/recall-gap-result';
import type { CheckCellResult } from '../serving/checks/run-check';
import type { PlanResult } from '../serving/plan/result';
import type { SweepResult } from '../serving/sweep-result';
import type { ServeResult } from '../serving/types';
import type { SpeculateResult } from '../speculate/cell-result';
import type { Workload } from '../workload/types';

/** One vocabulary, one badge each. */
export const CELL_STATES = [
  'idle',
  'stale',
  'queued',
  'running',
  'done',
  'failed',
  'cancelled',
] as const;
export type CellState = (typeof CELL_STATES)[number];

export interface Progress {
  /** In [0, 1], or undefined while the total is unknown. */
  readonly fraction: number | undefined;
  readonly phase: string;
  /** What is there of the result so far, where the job can tell. */
  readonly partial?: CellOutput;
  /** Of a map: a first picture, told once. */
  readonly preview?: MapPreview;
}

/** A map reduced from its rows `everyQuery` apart: maxima may be larger, and means are estimates. */
export interface MapPreview {
  readonly base: MapBase;
  readonly everyQuery: number;
}

/** How a result came about. Shown beside every result and written into every export. */
export interface Provenance {
  readonly appVersion: string;
  /** SHA-256 of the cell's kind version, canonical params and input hashes. */
  readonly specHash: string;
  readonly kindVersion: number;
  readonly computedAt: string;
  /** True for results bundled with the page and not computed in it. */
  readonly recorded: boolean;
  /** True for anything that comes out of the serving simulator. */
  readonly simulated: boolean;
  readonly seed: number | undefined;
  readonly wallSeconds: number;
  readonly clock: Clock | undefined;
  readonly precision: 'f32' | 'f64' | undefined;
  readonly engine: 'webgpu' | 'wasm' | 'cpu' | 'reference' | 'simulator';
  readonly adapter: AdapterInfo | undefined;
  /** Cost model in words, for simulated results. */
  readonly costModel: string | undefined;
}

/** Results by kind; views (map, timeline, plot, table) have none of their own. */
export type CellOutput =
  | { readonly kind: 'attention'; readonly value: AttentionResult }
  | { readonly kind: 'compose'; readonly value: ComposeResult }
  | { readonly kind: 'recurrent'; readonly value: RecurrentResult }
  | { readonly kind: 'decode'; readonly value: DecodeResult }
  | { readonly kind: 'model'; readonly value: ModelCellResult }
  | { readonly kind: 'cache'; readonly value: CacheResult }
  | { readonly kind: 'recall-gap'; readonly value: RecallGapResult }
  | { readonly kind: 'speculate'; readonly value: SpeculateResult }
  | { readonly kind: 'workload'; readonly value: Workload }
  | { readonly kind: 'serve'; readonly value: ServeResult }
  | { readonly kind: 'sweep'; readonly value: SweepResult }
  | { readonly kind: 'check'; readonly value: CheckCellResult }
  | { readonly kind: 'plan'; readonly value: PlanResult };

export interface CellResult {
  readonly output: CellOutput;
  readonly provenance: Provenance;
}
