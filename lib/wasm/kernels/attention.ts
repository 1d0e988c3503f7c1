// Softmax attention of one query block over a list of key blocks, f32:
//   out = softmax(q K^T * scale) V,   lse = log(sum over keys of exp(q . k * scale))
// with the online softmax of FlashAttention (Dao et al., 2022): per key block the accumulator is
// rescaled by exp(old maximum - new maximum). Memory is laid out by the caller; see
// `../attention.ts` and `scratch.ts`.

import { lookAhead } from './ahead';
import { exponentials } from './exponential';
import { logarithm, logarithms } from './logarithm';
import { packKeys, packQueries } from './pack';
import { scorePanel } from './products';
import { walkFours } from './recurrent';
import { RECURRENT_SCRATCH_BYTES } from './recurrent-scratch';
import { scoreRow } from './row-products';
import {
  accumulatorOf,
  EMPTY,
  BLOCK_KEYS,
  BLOCK_QUERIES,
  MAX_HEAD_SIZE,
  maximaOf,
  NOTHING_SEEN,
  paddedHead,
  onesOf,
  rescalingsOf,
  SCORE_ROW_BYTES,
  SCRATCH_BYTES,
  segmentEndsOf,
  segmentsOf,
  stagesOf,
  SUMMED,
  sumsOf,
  TILE_BYTES,
  TILES,
  VISIBLE_BYTES,
  visibleOf,
} from './scratch';
import { nextSegment, writeSegment } from './segments';
import { maskColumns, softmaxFour, softmaxRow } from './softmax';
import {
  attendSeenRow,
  maskSeen,
  scoreSeen,
  scoreSeenRow,
  scoreTile,
  seenByFour,
  weightRow,
  weightTiles,
} from './tiles';

export {
  BLOCK_KEYS,
  BLOCK_QUERIES,
  exponentials,
  logarithms,
  MAX_HEAD_SIZE,
  packKeys,
  packQueries,
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

/** Sum 0, nothing seen; the accumulator counts as 0 where it is EMPTY. */
function begin(scratch: usize, stage: u32): void {
  const nothing = f32x4.splat(NOTHING_SEEN);
  for (let row: usize = 0; row < BLOCK_QUERIES; row += 4) {
    v128.store(maximaOf(scratch) + 4 * row, nothing);
    v128.store(sumsOf(scratch) + 4 * row, f32x4.splat(0));
  }
  v128.store(stagesOf(scratch), i32x4.splat(stage));
  v128.store(onesOf(scratch), f32x4.splat(1));
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

/** Factors 1 / sum in place of the sums, and row log-sum-exp in place of the maxima; no key: 0 and -Infinity. */
function closeStatistics(scratch: usize, rows: usize): void {
  for (let row: usize = 0; row < rows; row += 4) {
    const sums = sumsOf(scratch) + 4 * row;
    const maxima = maximaOf(scratch) + 4 * row;
    const sum = v128.load(sums);
    const isEmpty = f32x4.eq(sum, f32x4.splat(0));
    const natural = f32x4.add(v128.load(maxima), logarithm(sum));
    v128.store(maxima, v128.bitselect(f32x4.splat(-Infinity), natural, isEmpty));
    v128.store(sums, v128.andnot(f32x4.div(f32x4.splat(1), sum), isEmpty));
  }
}

/** What is not yet in `output` [rows][headSize], and `lse` [rows]; after `closeStatistics`. */
function finish(scratch: usize, rows: usize, headSize: usize, output: usize, lse: usize): void {
  const rowBytes: usize = 4 * paddedHead(headSize);
  memory.copy(lse, maximaOf(scratch), 4 * rows);
  for (let row: usize = 0; row < rows; row++) {
    const stage = load<u32>(stagesOf(scratch) + (row & ~3));
    if (stage == EMPTY) memory.fill(output, 0, 4 * headSize);
    else if (stage == SUMMED) {
      const factor = v128.load32_splat(sumsOf(scratch) + 4 * row);
      const from = accumulatorOf(scratch) + row * rowBytes;
      for (let d: usize = 0; d < 4 * headSize; d += 16) {
        v128.store(output + d, f32x4.mul(v128.load(from + d), factor));
      }
    }
    output += 4 * headSize;
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
  for (let at: usize = 0; at < VISIBLE_BYTES; at += 16) {
    // Masks that are given have no bits past the last row.
    v128.store(marks + at, given == NO_MASKS ? i32x4.splat(0) : v128.load(given + at));
  }
  if (given == NO_MASKS) visible(marks, batch, head, firstRow, firstKey, rows);
  if (columns >= BLOCK_KEYS) return;
  const existing: u32 = (1 << <u32>columns) - 1;
  for (let at = marks; at < marks + 4 * rows; at += 4) store<u32>(at, load<u32>(at) & existing);
}

/** The last key block of a list, whose full and partial blocks ascend each. */
function lastBlock(blocks: usize, blockCount: usize, fullCount: usize): u32 {
  const last = load<u32>(blocks + 4 * (blockCount - 1));
  return fullCount == 0 ? last : max(last, load<u32>(blocks + 4 * (fullCount - 1)));
}

/**
 * One query block of one head.
 *
 * @param scratch SCRATCH_BYTES of this instance; begins with the score tile
 * @param query the block's rows interleaved by four, [ceil(rows / 4)][headSize][4], or where `isRowWise`
 *   [rows][headSize]
 * @param keys of the KV head: [keyBlocks][BLOCK_KEYS / 8][headSize][8], or where `isRowWise`
 *   [keyBlocks x BLOCK_KEYS][headSize]
 * @param values of the KV head: [keyBlocks x BLOCK_KEYS][padded head size], zeros past the end
 * @param blocks u32 [blockCount], the first `fullCount` of them full
 * @param isRowWise few queries: products along d, straight from the rows
 * @param modifies scores go through `modify`
 * @param masks u32 [blockCount - fullCount][BLOCK_QUERIES], what `visible` says of the partial
 *   blocks; NO_MASKS asks it
 * @param isInOrder the next call is for the rows after these
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
  isInOrder: bool,
): void {
  // The tiled path computes whole groups of four rows; those past the end are zeros.
  const computed = isRowWise ? rows : (rows + 3) & ~3;
  const bytes = 4 * rows * headSize;
  // Kept where nothing reads it before it is written, or the loads would be left out.
  store<i32>(rescalingsOf(scratch), touch(query, bytes) | touch(output, bytes));
  begin(scratch, isRowWise ? SUMMED : EMPTY);
  if (isRowWise) memory.fill(accumulatorOf(scratch), 0, 4 * rows * paddedHead(headSize));
  // Rows of the accumulator are rows of the output, and so its last sums can go there at once.
  const isDirect = (rows & 3) == 0 && (headSize & 7) == 0;
  const marks = visibleOf(scratch);
  const ends = segmentEndsOf(scratch);
  const valueRow: usize = 4 * paddedHead(headSize);
  if (!isRowWise && blockCount > 0) {
    const nextKey = BLOCK_KEYS * (<usize>lastBlock(blocks, blockCount, fullCount) + 1);
    const isInside = nextKey < keyCount;
    const nextKeys = isInside ? keys + 4 * headSize * nextKey : query;
    const nextValues = isInside ? values + valueRow * nextKey : query;
    const nextRows: usize = isInOrder ? 4 * BLOCK_QUERIES * headSize : 0;
    const nextOutput = isInOrder ? output + nextRows : query;
    lookAhead(query + nextRows, nextOutput, nextKeys, nextValues, headSize);
  }
  let tile = scratch;
  for (let i: usize = 0; i < blockCount; i++) {
    const firstKey = BLOCK_KEYS * <usize>load<u32>(blocks + 4 * i);
    const blockKeys = keys + 4 * headSize * firstKey;
    const blockValues = values + valueRow * firstKey;
    const isFull = i < fullCount;
    if (!isFull) {
      const given = masks == NO_MASKS ? NO_MASKS : masks + VISIBLE_BYTES * (i - fullCount);
      markTile(marks, given, rows, keyCount - firstKey, batch, head, firstRow, firstKey);
    }
    if (isRowWise) {
      for (let row: usize = 0; row < rows; row++) {
        const at = query + 4 * headSize * row;
        if (isFull) {
          const scores = scratch + row * SCORE_ROW_BYTES;
          scoreRow(at, blockKeys, scores, headSize, scale, BLOCK_KEYS);
        } else {
          const seen = load<u32>(marks + 4 * row);
          if (seen != 0) scoreSeenRow(scratch, query, blockKeys, row, headSize, scale, seen);
        }
      }
      if (modifies) modify(scratch, batch, head, firstRow, firstKey);
      if (isFull && firstKey + BLOCK_KEYS > keyCount) maskColumns(scratch, rows, keyCount - firstKey);
      for (let row: usize = 0; row < rows; row++) {
        if (isFull) {
          softmaxRow(scratch, row, 0, BLOCK_KEYS);
          weightRow(scratch, blockValues, row, headSize, 0, BLOCK_KEYS);
        } else {
          const seen = load<u32>(marks + 4 * row);
          if (seen != 0) attendSeenRow(scratch, blockValues, row, headSize, seen);
        }
      }
      continue;
    }
    if (tile == scratch) {
      for (let row: usize = 0; row < computed; row += 4) {
        store<u32>(ends + row, <u32>segmentsOf(scratch, row));
      }
    }
    if (isFull) scoreTile(query, tile, blockKeys, computed, headSize, scale);
    else {
      for (let row: usize = 0; row < computed; row += 4) {
        const seen = seenByFour(marks, row);
        if (seen != 0) scoreSeen(query, tile, blockKeys, row, headSize, scale, seen);
      }
    }
    if (modifies) modify(tile, batch, head, firstRow, firstKey);
    if (isFull && firstKey + BLOCK_KEYS > keyCount) maskColumns(tile, computed, keyCount - firstKey);
    for (let row: usize = 0; row < computed; row += 4) {
      const seen = isFull ? 0xffffffff : seenByFour(marks, row);
      if (seen == 0) continue;
      if (!isFull) maskSeen(tile, marks, row, seen);
      const end = <usize>load<u32>(ends + row);
      const first: usize = <usize>ctz(seen);
      const last: usize = 31 - <usize>clz(seen);
      writeSegment(end, tile, row, first, last, blockValues, valueRow);
      store<u32>(ends + row, <u32>nextSegment(end));
    }
    tile += TILE_BYTES;
    if (tile == scratch + TILES * TILE_BYTES || i + 1 == blockCount) {
      for (let row: usize = 0; row < computed; row += 4) {
        const end = <usize>load<u32>(ends + row);
        const segments = segmentsOf(scratch, row);
        if (end > segments) softmaxFour(scratch, row, segments, end);
      }
      const isLast = i + 1 == blockCount;
      if (isLast) closeStatistics(scratch, computed);
      weightTiles(scratch, ends, computed, headSize, isLast && isDirect ? output : 0);
      tile = scratch;
    }
  }
  if (isRowWise || blockCount == 0) closeStatistics(scratch, computed);
  finish(scratch, rows, headSize, output, lse);
}
