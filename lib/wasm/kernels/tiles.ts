import { touchAhead } from './ahead';
import { scorePanel, weightPanel } from './products';
import { scoreRow, weightRow32, weightRow8 } from './row-products';
import {
  accumulatorOf,
  BLOCK_KEYS,
  onesOf,
  paddedHead,
  rescalingsOf,
  SCORE_ROW_BYTES,
  segmentsOf,
  stagesOf,
  SUMMED,
  sumsOf,
  WRITTEN,
} from './scratch';
import { maskHidden, softmaxRow } from './softmax';

// What becomes of tiles: scores, softmax, weighted values. Whole tiles go panel by panel for all
// rows; partial ones by groups of four rows (row by row in the row-wise path), each over the keys
// from the first to the last that any row of the group sees.

/** Scores of a tile: queries [rows / 4][headSize][4] and keys [BLOCK_KEYS / 8][headSize][8]. */
export function scoreTile(
  query: usize,
  tile: usize,
  keys: usize,
  rows: usize,
  headSize: usize,
  scale: f32,
): void {
  for (let column: usize = 0; column < BLOCK_KEYS; column += 8) {
    const panel = keys + 4 * headSize * column;
    for (let row: usize = 0; row < rows; row += 4) {
      const scores = tile + row * SCORE_ROW_BYTES + 4 * column;
      scorePanel(query + 4 * headSize * row, panel, scores, headSize, scale);
      touchAhead();
    }
  }
}

/**
 * Adds the weighted values of all rows, whole fours, and their segments. The only caller of
 * `weightPanel`, which is thereby inlined: a call per panel costs a tenth of its time.
 *
 * @param output where the sums, times the factors in place of the running sums, belong from now on;
 *   0: nowhere yet
 */
export function weightTiles(
  scratch: usize,
  ends: usize,
  rows: usize,
  headSize: usize,
  output: usize,
): void {
  const rowBytes: usize = 4 * paddedHead(headSize);
  for (let row: usize = 0; row < rows; row += 4) {
    const segments = segmentsOf(scratch, row);
    const end = <usize>load<u32>(ends + row);
    if (segments == end) continue;
    const isSummed = load<u32>(stagesOf(scratch) + row) == SUMMED;
    const rescalings = rescalingsOf(scratch) + 4 * row;
    const sums = accumulatorOf(scratch) + row * rowBytes;
    const to = output == 0 ? sums : output + row * rowBytes;
    const factors = output == 0 ? onesOf(scratch) : sumsOf(scratch) + 4 * row;
    for (let d: usize = 0; d < rowBytes; d += 32) {
      weightPanel(segments, end, d, sums, to, rowBytes, rescalings, isSummed, factors);
      touchAhead();
    }
    store<u32>(stagesOf(scratch) + row, output == 0 ? SUMMED : WRITTEN);
  }
}

/** Adds the weighted values of one row and keys [from, to). */
export function weightRow(
  scratch: usize,
  values: usize,
  row: usize,
  headSize: usize,
  from: usize,
  to: usize,
): void {
  const rowBytes: usize = 4 * paddedHead(headSize);
  const out = accumulatorOf(scratch) + row * rowBytes;
  const weights = scratch + row * SCORE_ROW_BYTES + 4 * from;
  const first = values + from * rowBytes;
  const rescaling = load<f32>(rescalingsOf(scratch) + 4 * row);
  let d: usize = 0;
  for (; d + 128 <= rowBytes; d += 128) {
    weightRow32(weights, first + d, out + d, rowBytes, rescaling, to - from);
  }
  for (; d < rowBytes; d += 32) {
    weightRow8(weights, first + d, out + d, rowBytes, rescaling, to - from);
  }
}

/** Keys that any of four rows from `row` on sees, a bit each. */
@inline
export function seenByFour(visible: usize, row: usize): u32 {
  const at = visible + 4 * row;
  return load<u32>(at) | load<u32>(at, 4) | load<u32>(at, 8) | load<u32>(at, 12);
}

/** Scores of four rows where `seen` has bits; other columns keep what they held. */
export function scoreSeen(
  query: usize,
  tile: usize,
  keys: usize,
  row: usize,
  headSize: usize,
  scale: f32,
  seen: u32,
): void {
  query += 4 * headSize * row;
  const scores = tile + row * SCORE_ROW_BYTES;
  for (let column: usize = 0; column < BLOCK_KEYS; column += 8) {
    // Half a panel takes as long as a whole one.
    if (((seen >>> <u32>column) & 0xff) == 0) continue;
    const panel = keys + 4 * headSize * column;
    const out = scores + 4 * column;
    scorePanel(query, panel, out, headSize, scale);
    touchAhead();
  }
}

/** Scores of one row over the fours of keys from the first to the last bit of `seen`, not 0. */
export function scoreSeenRow(
  scratch: usize,
  query: usize,
  keys: usize,
  row: usize,
  headSize: usize,
  scale: f32,
  seen: u32,
): void {
  const from: usize = <usize>ctz(seen) & ~3;
  const to: usize = ((31 - <usize>clz(seen)) | 3) + 1;
  const scores = scratch + row * SCORE_ROW_BYTES + 4 * from;
  const first = keys + 4 * headSize * from;
  scoreRow(query + 4 * headSize * row, first, scores, headSize, scale, to - from);
}

/** Masks four rows of a partial tile between the first and the last bit of `seen`, not 0. */
export function maskSeen(tile: usize, visible: usize, row: usize, seen: u32): void {
  const to: usize = ((31 - <usize>clz(seen)) | 3) + 1;
  const scores = tile + row * SCORE_ROW_BYTES;
  const bits = visible + 4 * row;
  const first = load<u32>(bits);
  const second = load<u32>(bits, 4);
  const third = load<u32>(bits, 8);
  const fourth = load<u32>(bits, 12);
  // Keys that all four see need no mask: of an edge of a window few do.
  let hidden = ~(first & second & third & fourth) & (0xffffffff >>> <u32>(BLOCK_KEYS - to));
  hidden &= -1 << (ctz(seen) & ~3);
  while (hidden != 0) {
    const column: usize = <usize>ctz(hidden) & ~3;
    maskHidden(scores, first, column);
    maskHidden(scores + SCORE_ROW_BYTES, second, column);
    maskHidden(scores + 2 * SCORE_ROW_BYTES, third, column);
    maskHidden(scores + 3 * SCORE_ROW_BYTES, fourth, column);
    hidden &= ~(0xf << <u32>column);
  }
}

/** Mask, softmax and weighted values of one row of a partial tile; `seen` is not 0. */
export function attendSeenRow(
  scratch: usize,
  values: usize,
  row: usize,
  headSize: usize,
  seen: u32,
): void {
  const first: usize = <usize>ctz(seen);
  const last: usize = 31 - <usize>clz(seen);
  const from = first & ~3;
  const to = (last | 3) + 1;
  const scores = scratch + row * SCORE_ROW_BYTES;
  for (let column = from; column < to; column += 4) maskHidden(scores, seen, column);
  softmaxRow(scratch, row, from, to);
  weightRow(scratch, values, row, headSize, first, last + 1);
}
