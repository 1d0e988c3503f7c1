import type { ModelSpec } from '../../types';
import type { Curve } from './curve';

/** What an operator must at least read from memory in every layer. */
export interface MemoryFloor {
  /** Peak of the accelerator's data sheet. */
  readonly bytesPerSecond: number;
  /** Weight bytes of an operator on one rank, by its name in the tables. */
  readonly weightBytes: Readonly<Record<string, number>>;
}

/** Weight bytes of the matrices that profiles name, on one of `tensorParallel` ranks. */
export function weightBytesByOperator(
  model: Omit<ModelSpec, 'id'>,
  tensorParallel: number,
): Readonly<Record<string, number>> {
  const { hiddenSize, headSize, ffnSize, ffnMatrices, vocabularySize, bytesPerWeight } = model;
  const queryWidth = (model.queryHeads * headSize) / tensorParallel;
  const kvWidth = Math.max(model.kvHeads / tensorParallel, 1) * headSize;
  const ffn = ffnSize / tensorParallel;
  const bytes = hiddenSize * bytesPerWeight;
  return {
    qkv_proj: bytes * (queryWidth + 2 * kvWidth),
    o_proj: bytes * queryWidth,
    gate_up_proj: bytes * (ffnMatrices - 1) * ffn,
    down_proj: bytes * ffn,
    lm_head: (bytes * vocabularySize) / tensorParallel,
  };
}

/**
 * A curve none of whose samples is below the time of reading the operator's weights at the data
 * sheet's bandwidth. A profile of one layer finds small matrices in the cache, where a whole model
 * has long pushed them out.
 *
 * @returns the curve itself where nothing changes
 */
export function raiseToFloor(name: string, curve: Curve, floor: MemoryFloor | undefined): Curve {
  const bytes = floor?.weightBytes[name];
  if (floor === undefined || bytes === undefined) return curve;
  const least = (bytes / floor.bytesPerSecond) * 1e6;
  if (curve.values.every((value) => value >= least)) return curve;
  return { sizes: curve.sizes, values: curve.values.map((value) => Math.max(value, least)) };
}
