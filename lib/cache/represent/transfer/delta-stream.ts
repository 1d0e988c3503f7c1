import { halvesToNumbers, numberToHalf } from '../../../attention/quantise/half';
import type { EncodedMatrix, Matrix, MatrixCodec } from '../matrix';
import { decodeStream, encodeStream, type StreamShape } from './adaptive-model';

/** Anchors are quantised to 8 bits, symmetric. */
const ANCHOR_BINS = 256;

export interface DeltaStreamOptions {
  /** Levels of a value, at least 4: codes run from -(bins / 2 - 1) to bins / 2 - 1. */
  readonly bins: number;
  /** Rows per anchor; the others hold their difference to it. 0 keeps every row itself. */
  readonly anchorRows: number;
}

/**
 * Quantised rows as an entropy-coded stream (CacheGen, Liu et al. 2023): the first row of a group is
 * its anchor, the others their difference to it as it will be decoded; symmetric codes with one
 * scale, the largest magnitude, per row; arithmetic coding with a distribution per channel. The
 * payload is the real stream. It saves bytes on a wire: what attends has to decode it first.
 *
 * @throws RangeError for bins outside 4..4096 or odd, or anchorRows that is no count
 */
export function deltaStream({ bins, anchorRows }: DeltaStreamOptions): MatrixCodec {
  if (!(Number.isInteger(bins) && bins >= 4 && bins <= 4096 && bins % 2 === 0)) {
    throw new RangeError(`invalid bins: ${bins} (expected an even number, 4..4096)`);
  }
  if (!(Number.isInteger(anchorRows) && anchorRows >= 0)) {
    throw new RangeError(`invalid anchorRows: ${anchorRows} (expected 0 or more)`);
  }
  return (matrix) => {
    const { rows, columns } = matrix;
    const { symbols, scales } = quantiseRows(matrix, { bins, anchorRows });
    const shape = streamShape(rows, columns, { bins, anchorRows });
    const stream = encodeStream(symbols, shape);
    return {
      rows,
      columns,
      buffers: [
        { role: 'payload', data: stream },
        { role: 'scales', data: scales },
      ],
      decode: () =>
        decodeRows(decodeStream(stream, shape), scales, rows, columns, { bins, anchorRows }),
    } satisfies EncodedMatrix;
  };
}

const isAnchor = (row: number, anchorRows: number) => anchorRows > 0 && row % anchorRows === 0;
const levelsOf = (bins: number) => bins / 2 - 1;

/** Codes from 0, [rows, columns], and an f16 scale per row. */
export function quantiseRows(
  { rows, columns, data }: Matrix,
  { bins, anchorRows }: DeltaStreamOptions,
): { readonly symbols: Uint16Array; readonly scales: Uint16Array } {
  const symbols = new Uint16Array(rows * columns);
  const scales = new Uint16Array(rows);
  const anchor = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const leads = isAnchor(row, anchorRows);
    if (leads) anchor.fill(0);
    const at = row * columns;
    let largest = 0;
    for (let c = 0; c < columns; c++) {
      largest = Math.max(largest, Math.abs(data[at + c]! - anchor[c]!));
    }
    const levels = levelsOf(leads ? ANCHOR_BINS : bins);
    scales[row] = numberToHalf(largest / levels, 'up');
    const scale = halvesToNumbers(scales.subarray(row, row + 1))[0]!;
    for (let c = 0; c < columns; c++) {
      const code = scale === 0 ? 0 : Math.round((data[at + c]! - anchor[c]!) / scale);
      symbols[at + c] = code + levels;
      if (leads) anchor[c] = code * scale;
    }
  }
  return { symbols, scales };
}

function decodeRows(
  symbols: Uint16Array,
  scales: Uint16Array,
  rows: number,
  columns: number,
  { bins, anchorRows }: DeltaStreamOptions,
): Float32Array {
  const out = new Float32Array(rows * columns);
  const factors = halvesToNumbers(scales);
  const anchor = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const leads = isAnchor(row, anchorRows);
    if (leads) anchor.fill(0);
    const levels = levelsOf(leads ? ANCHOR_BINS : bins);
    for (let c = 0; c < columns; c++) {
      const value = (symbols[row * columns + c]! - levels) * factors[row]! + anchor[c]!;
      out[row * columns + c] = value;
      if (leads) anchor[c] = value;
    }
  }
  return out;
}

/** Anchors and deltas of a channel are two contexts: their distributions differ. */
function streamShape(
  rows: number,
  columns: number,
  { bins, anchorRows }: DeltaStreamOptions,
): StreamShape {
  return {
    length: rows * columns,
    contexts: 2 * columns,
    symbolsOf: (context) => 2 * levelsOf(context < columns ? ANCHOR_BINS : bins) + 1,
    contextOf: (i) => (i % columns) + (isAnchor(Math.floor(i / columns), anchorRows) ? 0 : columns),
  };
}

/**
 * Bins by layer of LMCache's coder, its 32 layers scaled to a model's: keys 32 in the first ten,
 * 16 after; values 32 in the first two, 16 after.
 */
export function binsByLayer(
  layer: number,
  layers: number,
): { readonly key: number; readonly value: number } {
  const at = (32 * layer) / layers;
  return { key: at < 10 ? 32 : 16, value: at < 2 ? 32 : 16 };
}
