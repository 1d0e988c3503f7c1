import type { DeltaStorage, QuantisedStorage, TensorStorage } from '../../spec/kinds/decode';
import { bfloatsToNumbers, roundToBfloats } from '../quantise/bfloat';
import { halvesToNumbers, roundToHalves } from '../quantise/half';
import { scaleLayout } from '../quantise/layout';
import { wordsPerRow } from '../quantise/pack';
import { dequantiseSteps, quantiseSteps } from '../quantise/quantise';
import type { Quantised, QuantisedBytes, TensorShape } from '../quantise/types';
import { deltaRows } from './delta';

/** Keys or values as a storage holds them. */
export interface StoredTensor {
  readonly type: TensorStorage['type'];
  /** Undefined where there are no codes with scales. */
  readonly quantised: Quantised | undefined;
  /** What attention sees: the values that codes stand for or differences add up to, rounded numbers, or the tensor as it was. */
  readonly values: Float32Array;
  readonly bytes: QuantisedBytes;
  /** Of the numbers of differences, how many are 0; undefined where a tensor is stored otherwise. */
  readonly zeroShare?: number;
}

/**
 * Stores a tensor [heads, rows, columns], yielding the share done after every head. No group of
 * values spans two heads, so that each is quantised alone.
 */
export function* storeTensor(
  tensor: Float32Array,
  shape: Required<TensorShape>,
  storage: TensorStorage,
): Generator<number, StoredTensor> {
  const { heads, rows, columns } = shape;
  if (storage.type === 'f32') {
    const codes = tensor.byteLength;
    const bytes = { codes, scales: 0, zeros: 0, total: codes, bitsPerElement: 32 };
    return { type: 'f32', quantised: undefined, values: tensor, bytes };
  }
  if (storage.type === 'delta') return yield* storeDeltas(tensor, shape, storage);
  if (storage.type !== 'quantised') {
    const values = yield* roundTensor(tensor, heads, storage.type);
    const codes = 2 * tensor.length;
    const bytes = { codes, scales: 0, zeros: 0, total: codes, bitsPerElement: 16 };
    return { type: storage.type, quantised: undefined, values, bytes };
  }
  const scheme = schemeOf(storage);
  const layout = scaleLayout(shape, scheme);
  const packed = new Uint32Array(heads * rows * wordsPerRow(columns, scheme.bits));
  const scales = new Float32Array(heads * layout.groups * layout.columns);
  const zeros = scheme.mode === 'asymmetric' ? new Float32Array(scales.length) : undefined;
  const values = new Float32Array(tensor.length);
  const bytes = { codes: 0, scales: 0, zeros: 0 };
  for (let h = 0; h < heads; h++) {
    const each = tensor.subarray(h * rows * columns, (h + 1) * rows * columns);
    const share = (from: number) => (fraction: number) => (h + from + fraction / 2) / heads;
    const steps = quantiseSteps(each, { heads: 1, rows, columns }, scheme);
    const head = yield* mapped(steps, share(0));
    packed.set(head.packed, h * head.packed.length);
    scales.set(head.scales, h * head.scales.length);
    if (head.zeros !== undefined) zeros?.set(head.zeros, h * head.zeros.length);
    values.set(yield* mapped(dequantiseSteps(head), share(0.5)), h * rows * columns);
    for (const part of ['codes', 'scales', 'zeros'] as const) bytes[part] += head.bytes[part];
    yield (h + 1) / heads;
  }
  const total = bytes.codes + bytes.scales + bytes.zeros;
  const sums = { ...bytes, total, bitsPerElement: (8 * total) / tensor.length };
  const quantised = { shape, scheme, packed, scales, zeros, bytes: sums };
  return { type: 'quantised', quantised, values, bytes: sums };
}

/** Steps with their shares as shares of something larger. */
function* mapped<T>(
  steps: Generator<number, T>,
  share: (fraction: number) => number,
): Generator<number, T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    yield share(step.value);
  }
}

/** The tensor as differences from token to token, head by head. */
function* storeDeltas(
  tensor: Float32Array,
  { heads, rows, columns }: Required<TensorShape>,
  storage: DeltaStorage,
): Generator<number, StoredTensor> {
  const values = new Float32Array(tensor.length);
  let [codes, zeros, differences] = [0, 0, 0];
  for (let h = 0; h < heads; h++) {
    const at = h * rows * columns;
    const head = deltaRows(tensor.subarray(at, at + rows * columns), columns, storage);
    values.set(head.values, at);
    codes += head.bytes;
    zeros += head.zeros;
    differences += head.deltaRows * columns;
    yield (h + 1) / heads;
  }
  const bitsPerElement = (8 * codes) / tensor.length;
  return {
    type: 'delta',
    quantised: undefined,
    values,
    bytes: { codes, scales: 0, zeros: 0, total: codes, bitsPerElement },
    zeroShare: differences === 0 ? 0 : zeros / differences,
  };
}

/** The tensor in numbers of 16 bits, as f32. */
function* roundTensor(
  tensor: Float32Array,
  heads: number,
  type: 'f16' | 'bf16',
): Generator<number, Float32Array> {
  const values = new Float32Array(tensor.length);
  const length = tensor.length / heads;
  for (let h = 0; h < heads; h++) {
    const each = tensor.subarray(h * length, (h + 1) * length);
    const rounded =
      type === 'f16'
        ? halvesToNumbers(roundToHalves(each))
        : bfloatsToNumbers(roundToBfloats(each));
    values.set(rounded, h * length);
    yield (h + 1) / heads;
  }
  return values;
}

function schemeOf({ bits, mode, granularity, scaleType }: QuantisedStorage) {
  return { bits, mode, granularity, scaleType };
}
