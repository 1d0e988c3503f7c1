import type { CacheAction, CacheCorrector } from '../../spec/cache-actions';
import type { Transformer } from '../../transformer/types';
import type { SlotColumns, SlotRun, SlotStorage } from '../slots/types';

/** One head at the moment its policy acts, in slot order. */
export interface ActedHead extends SlotColumns {
  readonly layer: number;
  readonly kvHead: number;
  readonly multiplicity: Float32Array;
  /** As attention reads the keys, [slots, headSize]. */
  rotatedKeys(): Float32Array;
  /** What decided: higher is kept. [slots] */
  readonly scores: Float32Array;
  /** Slots to keep, ascending. */
  readonly kept: Int32Array;
  /** All others, ascending. */
  readonly victims: Int32Array;
  /** Queries before RoPE of the heads that share this one, [rows, group, headSize], if declared. */
  readonly queries?: WindowQueries;
}

/** Last queries of a prompt, as one KV head's query heads made them. */
export interface WindowQueries {
  readonly rows: number;
  /** Query heads per KV head. */
  readonly group: number;
  /** Before RoPE, [rows, group, headSize]. */
  readonly data: Float32Array;
  /** Text positions, ascending, [rows]. */
  readonly positions: Int32Array;
}

export interface ActionContext {
  /** For forms that are fitted to a model's projections or differ by depth. */
  readonly model: Pick<Transformer, 'config' | 'weights'>;
  readonly corrector: CacheCorrector;
  /** Of rows that are only moved elsewhere; f16 unless given. */
  readonly storage?: SlotStorage;
  /** Inverse rotation of one key in place, at the RoPE index of a text position. */
  unrotate(key: Float32Array, position: number): void;
}

/** What an action needs beside keys, values and scores. */
export interface ActionNeeds {
  /** Last queries of the prompt. */
  readonly windowQueries?: number;
}

export interface ActionDefinition<T extends CacheAction['type'] = CacheAction['type']> {
  needs?(action: Extract<CacheAction, { type: T }>): ActionNeeds;
  /**
   * What the slots of every head become, one list of runs a head. All heads that are acted on come
   * in one call, layer by layer, for actions that share a basis across heads or layers. Runs need
   * not keep the slots' order, but plain runs that decoding appends to come last.
   */
  apply(
    heads: readonly ActedHead[],
    action: Extract<CacheAction, { type: T }>,
    context: ActionContext,
  ): readonly (readonly SlotRun[])[];
}

export type Actions = { [T in CacheAction['type']]?: ActionDefinition<T> };

/** Rows of a head as a plain run. */
export function plainRun(
  head: SlotColumns,
  slots: Int32Array,
): Extract<SlotRun, { form: 'plain' }> {
  const { headSize, multiplicity } = head;
  const rows = (from: Float32Array) => {
    const out = new Float32Array(slots.length * headSize);
    slots.forEach((slot, i) => {
      out.set(from.subarray(slot * headSize, (slot + 1) * headSize), i * headSize);
    });
    return out;
  };
  return {
    form: 'plain',
    headSize,
    keys: rows(head.keys),
    values: rows(head.values),
    positions: slots.map((slot) => head.positions[slot]!),
    ...(multiplicity
      ? { multiplicity: Float32Array.from(slots, (slot) => multiplicity[slot]!) }
      : {}),
  };
}

/** An action that treats every head on its own. */
export function headByHead<T extends CacheAction['type']>(
  act: (
    head: ActedHead,
    action: Extract<CacheAction, { type: T }>,
    context: ActionContext,
  ) => readonly SlotRun[],
): ActionDefinition<T> {
  return { apply: (heads, action, context) => heads.map((head) => act(head, action, context)) };
}
