import type { AttentionShape } from '../spec/kinds/attention';
import { MAX_HEAD_SIZE } from './layout';

/**
 * One call, row-major f32: Q [batch, queryHeads, queries, headSize], K and V [batch, kvHeads, keys,
 * headSize].
 */
export interface WasmAttentionInputs extends AttentionShape {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/** Throws unless `index` is an integer in 0 .. end - 1. */
export function checkIndex(name: string, index: number, end: number): void {
  if (Number.isInteger(index) && index >= 0 && index < end) return;
  throw new Error(`invalid ${name}: ${index} (expected 0..${end - 1})`);
}

/** Throws on a shape that the kernel cannot run; lengths are bounded by the memory only. */
export function checkShape(shape: AttentionShape): void {
  for (const name of ['batch', 'queryHeads', 'kvHeads', 'queries', 'keys', 'headSize'] as const) {
    const value = shape[name];
    if (!Number.isInteger(value) || value < 1) {
      throw new Error(`invalid ${name}: ${value} (expected a positive integer)`);
    }
  }
  const { queryHeads, kvHeads, headSize } = shape;
  if (headSize % 4 !== 0 || headSize > MAX_HEAD_SIZE) {
    throw new Error(
      `invalid headSize: ${headSize} (expected a multiple of 4 up to ${MAX_HEAD_SIZE})`,
    );
  }
  if (queryHeads % kvHeads !== 0) {
    throw new Error(`invalid kvHeads: ${kvHeads} (expected a divisor of queryHeads ${queryHeads})`);
  }
}

/** Throws where a tensor's length is not its shape's. */
export function checkTensors(inputs: WasmAttentionInputs): void {
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = inputs;
  const kvLength = batch * kvHeads * keys * headSize;
  const lengths = {
    query: batch * queryHeads * queries * headSize,
    key: kvLength,
    value: kvLength,
  };
  for (const name of ['query', 'key', 'value'] as const) {
    if (inputs[name].length === lengths[name]) continue;
    throw new Error(`invalid ${name}: ${inputs[name].length} values (expected ${lengths[name]})`);
  }
}
