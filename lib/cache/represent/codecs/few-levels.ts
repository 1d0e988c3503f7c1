import { halvesToNumbers, roundToHalves } from '../../../attention/quantise/half';
import { packCodes, unpackCodes } from '../../../attention/quantise/pack';
import type { Matrix, MatrixCodec } from '../matrix';

/** Ternary digits that fit a byte: 3^5 = 243. */
const TRITS_PER_BYTE = 5;

/** Digits -1, 0 and 1, five to a byte: 1.6 bits each. */
export function packTrits(digits: Int8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(digits.length / TRITS_PER_BYTE));
  for (let i = digits.length - 1; i >= 0; i--) {
    const at = Math.floor(i / TRITS_PER_BYTE);
    bytes[at] = bytes[at]! * 3 + digits[i]! + 1;
  }
  return bytes;
}

/** The inverse of `packTrits`. */
export function readTrits(bytes: Uint8Array, count: number): Int8Array<ArrayBuffer> {
  const digits = new Int8Array(count);
  for (let i = 0; i < count; i++) {
    const byte = bytes[Math.floor(i / TRITS_PER_BYTE)]!;
    digits[i] = (Math.floor(byte / 3 ** (i % TRITS_PER_BYTE)) % 3) - 1;
  }
  return digits;
}

interface Groups {
  readonly count: number;
  /** Group of the value at [row, column]: channels have groups of their own. */
  indexOf(row: number, column: number): number;
}

/** One group per channel and run of `groupTokens` rows. */
function channelGroups({ rows, columns }: Matrix, groupTokens: number): Groups {
  if (!Number.isInteger(groupTokens) || groupTokens < 1) {
    throw new RangeError(`invalid groupTokens: ${groupTokens} (expected an integer from 1)`);
  }
  return {
    count: Math.ceil(rows / groupTokens) * columns,
    indexOf: (row, column) => Math.floor(row / groupTokens) * columns + column,
  };
}

/**
 * One bit per value: which side of the mean of its group (a channel over `groupTokens` rows) it
 * lies on. Both levels are the mean of their side, the best two for that split; f16.
 */
export function oneBit(groupTokens: number): MatrixCodec {
  return (matrix) => {
    const { rows, columns, data } = matrix;
    const groups = channelGroups(matrix, groupTokens);
    const means = meansOf(matrix, groups, () => true);
    const codes = new Int16Array(data.length);
    forEach(matrix, groups, (i, group) => {
      codes[i] = data[i]! > means[group]! ? 1 : 0;
    });
    const lows = roundToHalves(meansOf(matrix, groups, (i) => codes[i] === 0));
    const highs = roundToHalves(meansOf(matrix, groups, (i) => codes[i] === 1));
    const packed = packCodes(codes, columns, 1);
    return {
      rows,
      columns,
      buffers: [
        { role: 'payload', data: packed },
        { role: 'scales', data: lows },
        { role: 'scales', data: highs },
      ],
      decode() {
        const levels = [halvesToNumbers(lows), halvesToNumbers(highs)];
        const read = unpackCodes(packed, columns, 1, false);
        return decodeWith(matrix, groups, (i, group) => levels[read[i]!]![group]!);
      },
    };
  };
}

/**
 * Ternary values {-1, 0, 1} times one scale per group (a channel over `groupTokens` rows): 1.6 bits
 * each as packed. A value is 0 below 0.7 times the group's mean magnitude, and the scale is the mean
 * magnitude of the rest (the rule of Li and Liu, Ternary Weight Networks, 2016; VidKV's own is not
 * known to us).
 */
export function ternary(groupTokens: number): MatrixCodec {
  return (matrix) => {
    const { rows, columns, data } = matrix;
    const groups = channelGroups(matrix, groupTokens);
    const magnitudes: Matrix = { rows, columns, data: data.map(Math.abs) };
    const thresholds = meansOf(magnitudes, groups, () => true);
    const digits = new Int8Array(data.length);
    forEach(matrix, groups, (i, group) => {
      digits[i] = Math.abs(data[i]!) >= 0.7 * thresholds[group]! ? Math.sign(data[i]!) : 0;
    });
    const scales = roundToHalves(meansOf(magnitudes, groups, (i) => digits[i] !== 0));
    const packed = packTrits(digits);
    return {
      rows,
      columns,
      buffers: [
        { role: 'payload', data: packed },
        { role: 'scales', data: scales },
      ],
      decode() {
        const read = readTrits(packed, rows * columns);
        const factors = halvesToNumbers(scales);
        return decodeWith(matrix, groups, (i, group) => read[i]! * factors[group]!);
      },
    };
  };
}

function forEach(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  groups: Groups,
  visit: (index: number, group: number) => void,
): void {
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) visit(i, groups.indexOf(row, column));
  }
}

/** Mean of the counted values of every group; 0 where a group counts none. */
function meansOf(matrix: Matrix, groups: Groups, counts: (index: number) => boolean): Float32Array {
  const sums = new Float64Array(groups.count);
  const numbers = new Uint32Array(groups.count);
  forEach(matrix, groups, (i, group) => {
    if (!counts(i)) return;
    sums[group] = sums[group]! + matrix.data[i]!;
    numbers[group] = numbers[group]! + 1;
  });
  return Float32Array.from(sums, (sum, group) => (numbers[group] ? sum / numbers[group]! : 0));
}

function decodeWith(
  shape: { readonly rows: number; readonly columns: number },
  groups: Groups,
  valueAt: (index: number, group: number) => number,
): Float32Array {
  const out = new Float32Array(shape.rows * shape.columns);
  forEach(shape, groups, (i, group) => {
    out[i] = valueAt(i, group);
  });
  return out;
}
