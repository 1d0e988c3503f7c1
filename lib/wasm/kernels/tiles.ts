import { scoreHalfPanel, scorePanel, weightPanel } from './products';
import { scoreRow, weightRow32, weightRow8 } from './row-products';
import {
  accumulatorOf,
  BLOCK_KEYS,
  paddedHead,
  queryTileOf,
  rescalingsOf,
  SCORE_ROW_BYTES,
} from './scratch';
import { maskHidden, softmaxFour, softmaxRow } from './softmax';

// What becomes of a tile: scores, softmax, weighted values. Whole tiles go panel by panel for all
// rows; partial ones by groups of four rows (row by row in the row-wise path), each over the keys
// from the first to the last that any row of the group sees.

/** Scores of a tile by register tiles; `keys` is [BLOCK_KEYS / 8][headSize][8]. */
export function scoreTile(
  scratch: usize,
  keys: usize,
  rows: usize,
  headSize: usize,
  scale: f32,
): void {
  for (let column: usize = 0; column < BLOCK_KEYS; column += 8) {
    const panel = keys + 4 * headSize * column;
    for (let row: usize = 0; row < rows; row += 4) {
      const scores = scratch + row * SCORE_ROW_BYTES + 4 * column;
      scorePanel(queryTileOf(scratch) + 4 * headSize * row, panel, scores, headSize, scale);
    }
  }
}

/**
 * Adds the weighted values of rows [row, endRow), whole fours, and keys [from, to). The only caller
 * of `weightPanel`, which is thereby inlined: a call per panel costs a tenth of its time.
 */
export function weightTile(
  scratch: usize,
  values: usize,
  row: usize,
  endRow: usize,
  headSize: usize,
  from: usize,
  to: usize,
): void {
  const rowBytes: usize = 4 * paddedHead(headSize);
  const first = values + from * rowBytes;
  for (let d: usize = 0; d < rowBytes; d += 32) {
    for (let i = row; i < endRow; i += 4) {
      const out = accumulatorOf(scratch) + i * rowBytes + d;
      const weights = scratch + i * SCORE_ROW_BYTES + 4 * from;
      weightPanel(weights, first + d, out, rowBytes, rescalingsOf(scratch) + 4 * i, to - from);
    }
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

/** Keys that any of `group` rows from `row` on sees, a bit each. */
@inline
export function seenBy(visible: usize, row: usize, group: usize): u32 {
  let seen: u32 = 0;
  for (let i: usize = 0; i < group; i++) seen |= load<u32>(visible + 4 * (row + i));
  return seen;
}

/** Scores of four rows where `seen` has bits; other columns keep what they held. */
export function scoreSeen(
  scratch: usize,
  keys: usize,
  row: usize,
  headSize: usize,
  scale: f32,
  seen: u32,
): void {
  const query = queryTileOf(scratch) + 4 * headSize * row;
  const scores = scratch + row * SCORE_ROW_BYTES;
  for (let column: usize = 0; column < BLOCK_KEYS; column += 8) {
    const bits = (seen >>> <u32>column) & 0xff;
    if (bits == 0) continue;
    const panel = keys + 4 * headSize * column;
    const out = scores + 4 * column;
    if (bits < 0x10) scoreHalfPanel(query, panel, out, headSize, scale);
    else if ((bits & 0xf) == 0) scoreHalfPanel(query, panel + 16, out + 16, headSize, scale);
    else scorePanel(query, panel, out, headSize, scale);
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

/** Masks, softmax and weighted values of `group` rows of a partial tile; `seen` is not 0. */
export function attendSeen(
  scratch: usize,
  values: usize,
  visible: usize,
  row: usize,
  group: usize,
  headSize: usize,
  seen: u32,
): void {
  const first: usize = <usize>ctz(seen);
  const last: usize = 31 - <usize>clz(seen);
  const from = first & ~3;
  const to = (last | 3) + 1;
  const wanted: u32 = (0xffffffff >>> <u32>(BLOCK_KEYS - to + from)) << <u32>from;
  for (let i = row; i < row + group; i++) {
    const bits = load<u32>(visible + 4 * i);
    if ((bits & wanted) != wanted) maskHidden(scratch + i * SCORE_ROW_BYTES, bits, from, to);
  }
  if (group == 1) {
    softmaxRow(scratch, row, from, to);
    weightRow(scratch, values, row, headSize, first, last + 1);
    return;
  }
  softmaxFour(scratch, row, from, to);
  weightTile(scratch, values, row, row + 4, headSize, first, last + 1);
}
