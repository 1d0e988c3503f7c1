// Softmax attention of one query block over a list of key blocks, f32:
//   out = softmax(q K^T * scale) V,   lse = log(sum over keys of exp(q . k * scale))
// with the online softmax of FlashAttention (Dao et al., 2022): per key block the accumulator is
// rescaled by exp(old maximum - new maximum). Memory is laid out by the caller; see
// `../attention.ts` and `scratch.ts`.

import { exponentials } from './exponential';
import { packKeys, packQueries } from './pack';
import { scorePanel } from './products';
import { walkFours } from './recurrent';
import { RECURRENT_SCRATCH_BYTES } from './recurrent-scratch';
import { scoreRow } from './row-products';
import {
  accumulatorOf,
  BLOCK_KEYS,
  BLOCK_QUERIES,
  MAX_HEAD_SIZE,
  maximaOf,
  NOTHING_SEEN,
  paddedHead,
  queryTileOf,
  rescalingsOf,
  SCORE_ROW_BYTES,
  SCRATCH_BYTES,
  sumsOf,
  VISIBLE_BYTES,
  visibleOf,
} from './scratch';
import { maskColumns, softmaxFour, softmaxRow } from './softmax';
import {
  attendSeen,
  scoreSeen,
  scoreSeenRow,
  scoreTile,
  seenBy,
  weightRow,
  weightTile,
} from './tiles';

export {
  BLOCK_KEYS,
  BLOCK_QUERIES,
  exponentials,
  MAX_HEAD_SIZE,
  packKeys,
  RECURRENT_SCRATCH_BYTES,
  SCRATCH_BYTES,
  scorePanel,
  walkFours,
};

@external('env', 'modify')
declare function modify(
  scores: usize,
  batch: i32,
  head: i32,
  firstRow: usize,
  firstKey: usize,
): void;

@external('env', 'visible')
declare function visible(
  marks: usize,
  batch: i32,
  head: i32,
  firstRow: usize,
  firstKey: usize,
  rows: usize,
): void;

@external('env', 'log')
declare function log(x: f64): f64;

/** Accumulator 0, sum 0, nothing seen. */
function begin(scratch: usize, rows: usize, headSize: usize): void {
  memory.fill(accumulatorOf(scratch), 0, 4 * rows * paddedHead(headSize));
  for (let row: usize = 0; row < rows; row++) {
    store<f32>(maximaOf(scratch) + 4 * row, NOTHING_SEEN);
    store<f32>(sumsOf(scratch) + 4 * row, 0);
  }
}

const CACHE_LINE_BYTES: usize = 64;

/**
 * Reads a word of every cache line, so that the misses overlap: queries are read and outputs written
 * in few streams, and for a short list of blocks waiting for them one by one takes a tenth of the time.
 */
@inline
function touch(start: usize, bytes: usize): i32 {
  let touched: i32 = 0;
  for (let at = start; at < start + bytes; at += CACHE_LINE_BYTES) touched |= load<i32>(at);
  return touched;
}

/** Divides by the sums into `output` [rows][headSize] and `lse` [rows]; no key: 0 and -Infinity. */
function finish(scratch: usize, rows: usize, headSize: usize, output: usize, lse: usize): void {
  const rowBytes: usize = 4 * paddedHead(headSize);
  for (let row: usize = 0; row < rows; row++) {
    const sum = load<f32>(sumsOf(scratch) + 4 * row);
    const factor = f32x4.splat(sum == 0 ? 0 : 1 / sum);
    const from = accumulatorOf(scratch) + row * rowBytes;
    for (let d: usize = 0; d < 4 * headSize; d += 16) {
      v128.store(output + d, f32x4.mul(v128.load(from + d), factor));
    }
    output += 4 * headSize;
    const maximum = load<f32>(maximaOf(scratch) + 4 * row);
    store<f32>(lse + 4 * row, sum == 0 ? -Infinity : <f32>(<f64>maximum + log(sum)));
  }
}

/** In place of the address of masks, which may be 0. */
const NO_MASKS: usize = usize.MAX_VALUE;

/** The mask of a partial tile, u32 [BLOCK_QUERIES]: without bits past the last row and key. */
function markTile(
  marks: usize,
  given: usize,
  rows: usize,
  columns: usize,
  batch: i32,
  head: i32,
  firstRow: usize,
  firstKey: usize,
): void {
  memory.fill(marks, 0, VISIBLE_BYTES);
  if (given == NO_MASKS) visible(marks, batch, head, firstRow, firstKey, rows);
  else memory.copy(marks, given, 4 * rows);
  if (columns >= BLOCK_KEYS) return;
  const existing: u32 = (1 << <u32>columns) - 1;
  for (let at = marks; at < marks + 4 * rows; at += 4) store<u32>(at, load<u32>(at) & existing);
}

/**
 * One query block of one head.
 *
 * @param scratch SCRATCH_BYTES of this instance; begins with the score tile
 * @param query first of `rows` query rows, [rows][headSize]
 * @param keys of the KV head: [keyBlocks][BLOCK_KEYS / 8][headSize][8], or where `isRowWise`
 *   [keyBlocks x BLOCK_KEYS][headSize]
 * @param values of the KV head: [keyBlocks x BLOCK_KEYS][padded head size], zeros past the end
 * @param blocks u32 [blockCount], the first `fullCount` of them full
 * @param isRowWise few queries: products along d, straight from the rows
 * @param modifies scores go through `modify`
 * @param masks u32 [blockCount - fullCount][BLOCK_QUERIES], what `visible` says of the partial
 *   blocks; NO_MASKS asks it
 */
export function attendBlock(
  scratch: usize,
  query: usize,
  keys: usize,
  values: usize,
  output: usize,
  lse: usize,
  blocks: usize,
  blockCount: usize,
  fullCount: usize,
  rows: usize,
  keyCount: usize,
  headSize: usize,
  scale: f32,
  batch: i32,
  head: i32,
  firstRow: usize,
  isRowWise: bool,
  modifies: bool,
  masks: usize,
): void {
  // The tiled path computes whole groups of four rows; those past the end are zeros.
  const computed = isRowWise ? rows : (rows + 3) & ~3;
  const bytes = 4 * rows * headSize;
  // Kept where nothing reads it before it is written, or the loads would be left out.
  store<i32>(rescalingsOf(scratch), touch(query, bytes) | touch(output, bytes));
  begin(scratch, computed, headSize);
  if (!isRowWise) packQueries(query, queryTileOf(scratch), rows, headSize);
  const group: usize = isRowWise ? 1 : 4;
  const marks = visibleOf(scratch);
  for (let i: usize = 0; i < blockCount; i++) {
    const firstKey = BLOCK_KEYS * <usize>load<u32>(blocks + 4 * i);
    const blockKeys = keys + 4 * headSize * firstKey;
    const blockValues = values + 4 * paddedHead(headSize) * firstKey;
    if (i < fullCount) {
      if (isRowWise) {
        for (let row: usize = 0; row < rows; row++) {
          const scores = scratch + row * SCORE_ROW_BYTES;
          scoreRow(query + 4 * headSize * row, blockKeys, scores, headSize, scale, BLOCK_KEYS);
        }
      } else scoreTile(scratch, blockKeys, computed, headSize, scale);
      if (modifies) modify(scratch, batch, head, firstRow, firstKey);
      if (firstKey + BLOCK_KEYS > keyCount) maskColumns(scratch, computed, keyCount - firstKey);
      if (isRowWise) {
        for (let row: usize = 0; row < rows; row++) {
          softmaxRow(scratch, row, 0, BLOCK_KEYS);
          weightRow(scratch, blockValues, row, headSize, 0, BLOCK_KEYS);
        }
      } else {
        for (let row: usize = 0; row < computed; row += 4) softmaxFour(scratch, row, 0, BLOCK_KEYS);
        weightTile(scratch, blockValues, 0, computed, headSize, 0, BLOCK_KEYS);
      }
      continue;
    }
    const given = masks == NO_MASKS ? NO_MASKS : masks + VISIBLE_BYTES * (i - fullCount);
    markTile(marks, given, rows, keyCount - firstKey, batch, head, firstRow, firstKey);
    for (let row: usize = 0; row < computed; row += group) {
      const seen = seenBy(marks, row, group);
      if (seen == 0) continue;
      if (isRowWise) scoreSeenRow(scratch, query, blockKeys, row, headSize, scale, seen);
      else scoreSeen(scratch, blockKeys, row, headSize, scale, seen);
    }
    if (modifies) modify(scratch, batch, head, firstRow, firstKey);
    for (let row: usize = 0; row < computed; row += group) {
      const seen = seenBy(marks, row, group);
      if (seen != 0) attendSeen(scratch, blockValues, marks, row, group, headSize, seen);
    }
  }
  finish(scratch, rows, headSize, output, lse);
}
