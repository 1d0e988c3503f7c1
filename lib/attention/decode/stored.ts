import type { QuantisedStorage, TensorStorage } from '../../spec/kinds/decode';
import { scaleLayout } from '../quantise/layout';
import { wordsPerRow } from '../quantise/pack';
import { dequantise, quantise } from '../quantise/quantise';
import type { Quantised, QuantisedBytes, TensorShape } from '../quantise/types';

/** Keys or values as a storage holds them. */
export interface StoredTensor {
  /** Undefined for f32. */
  readonly quantised: Quantised | undefined;
  /** What attention sees: the values that codes stand for, or the tensor as it was. */
  readonly values: Float32Array;
  readonly bytes: QuantisedBytes;
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
    return { quantised: undefined, values: tensor, bytes };
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
    const head = quantise(each, { heads: 1, rows, columns }, scheme);
    packed.set(head.packed, h * head.packed.length);
    scales.set(head.scales, h * head.scales.length);
    if (head.zeros !== undefined) zeros?.set(head.zeros, h * head.zeros.length);
    values.set(dequantise(head), h * rows * columns);
    for (const part of ['codes', 'scales', 'zeros'] as const) bytes[part] += head.bytes[part];
    yield (h + 1) / heads;
  }
  const total = bytes.codes + bytes.scales + bytes.zeros;
  const sums = { ...bytes, total, bitsPerElement: (8 * total) / tensor.length };
  return { quantised: { shape, scheme, packed, scales, zeros, bytes: sums }, values, bytes: sums };
}

function schemeOf({ bits, mode, granularity, scaleType }: QuantisedStorage) {
  return { bits, mode, granularity, scaleType };
}
