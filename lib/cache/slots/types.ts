import type {
  AttendedRows,
  AttentionCache,
  ProjectedRows,
  QueryRow,
} from '../../transformer/types';
import type { ByteLedger, Encoded, SlotView, Tier } from '../types';
import type { HeadState } from './head-state';

/** How rows that no codec holds are stored: real Uint16 buffers of binary16, or f32. */
export type SlotStorage = 'f16' | 'f32';

export type SlotState = SlotView['state'];

/**
 * Slots of one (layer, KV head), by column. Keys are before RoPE; slots are in no particular order
 * unless `positions` says so.
 */
export interface SlotColumns {
  readonly headSize: number;
  /** [slots, headSize] */
  readonly keys: Float32Array;
  /** [slots, headSize] */
  readonly values: Float32Array;
  /** Text position of each slot; of the first token where it stands for several. [slots] */
  readonly positions: Int32Array;
  /** Tokens that each slot stands for, [slots]; 1 unless given. */
  readonly multiplicity?: Float32Array;
}

/** Some slots of one head in the form they are to be held in. */
export type SlotRun =
  | ({
      readonly form: 'plain';
      /** `kept` unless given. */
      readonly state?: SlotState;
    } & SlotColumns)
  | {
      readonly form: 'encoded';
      readonly encoded: Encoded;
      /** [encoded.slots] */
      readonly positions: Int32Array;
      /** [encoded.slots]; 1 unless given. */
      readonly multiplicity?: Float32Array;
      readonly state: Exclude<SlotState, 'kept' | 'merged'>;
      /** `device` unless given. */
      readonly tier?: Tier;
    };

/** What scorers and views read of one head. Arrays are copies, or must not be written to. */
export interface HeadSlots {
  readonly count: number;
  /** [count] */
  readonly positions: Int32Array;
  /** [count] */
  readonly multiplicity: Float32Array;
  /** Before RoPE, [count, headSize]; decoded from the storage. */
  keys(): Float32Array;
  /** As attention reads them, at the indices of the position rule, [count, headSize]. */
  rotatedKeys(): Float32Array;
  /** [count, headSize] */
  values(): Float32Array;
  /** Slots in host memory, as runs of one form; ascending. */
  hostRuns(): readonly HostRun[];
}

/** Slots of one head that lie in host memory, one after another. */
export interface HostRun {
  readonly firstSlot: number;
  readonly encoded: Encoded;
  /** Row of `encoded` that each slot is, [slots]. */
  readonly rows: Int32Array;
}

/** Columns that a policy keeps beside the slots; allocated when first set. */
export type SlotMeta =
  /** Attention summed so far: decides later evictions, and counts as `summaries`. */
  | 'saliency'
  /** Text position of the last query that gave the slot at least its even share: `summaries`. */
  | 'lastUsed'
  /** What decided about the slot, for views: no policy reads it back, and it is not counted. */
  | 'score';

/** Picks the slots that one query attends to; rows of `head`, ascending. */
export type SlotRetrieval = (
  layer: number,
  kvHead: number,
  query: QueryRow,
  head: HeadSlots,
) => Int32Array | undefined;

/** A place to come back to. Its copy is not part of the cache and not in the ledger. */
export interface SlotSnapshot {
  readonly heads: readonly HeadState[];
  readonly tokensSeen: number;
}

/**
 * The ragged slot cache: every (layer, KV head) has its own number of slots. Keys are held before
 * RoPE and rotated on read to the index that the position rule gives; rotated keys and decoded
 * values are scratch, which is not in the ledger.
 */
export interface SlotCache extends AttentionCache {
  readonly storage: SlotStorage;
  readonly tokensSeen: number;
  /** Takes the rows of a chunk; those alone that `takes` names, where it is given. */
  append(
    layer: number,
    rows: ProjectedRows,
    takes?: (kvHead: number, position: number) => boolean,
  ): void;
  /** Slots of a head. */
  count(layer: number, kvHead: number): number;
  head(layer: number, kvHead: number): HeadSlots;
  /** Keeps the given slots, ascending; all others are gone and their buffers freed. */
  keep(layer: number, kvHead: number, slots: Int32Array): void;
  /** Takes the head to hold exactly these runs. Meta columns start anew, with `score` if given. */
  replace(layer: number, kvHead: number, runs: readonly SlotRun[], scores?: Float32Array): void;
  /** Forgets slots at text positions from `position` on, in all heads. */
  truncate(position: number): void;
  meta(layer: number, kvHead: number, column: SlotMeta): Float32Array | undefined;
  /** Sets a column, [count]; later slots start at 0. */
  setMeta(layer: number, kvHead: number, column: SlotMeta, values: Float32Array): void;
  snapshot(): SlotSnapshot;
  restore(snapshot: SlotSnapshot): void;
  /** Adds to what was moved or computed again. */
  charge(cost: { readonly movedBytes?: number; readonly recomputedTokenLayers?: number }): void;
  ledger(): ByteLedger;
  slots(layer: number, kvHead: number): SlotView[];
  /** Text positions seen that no slot of the head is at, ascending; merged ones are among them. */
  dropped(layer: number, kvHead: number): number[];
  /** Attention weights are asked of the model while this is set. */
  setObserver(observer: ((attended: AttendedRows) => void) | undefined): void;
}
