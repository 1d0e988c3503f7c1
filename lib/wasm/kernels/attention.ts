// Softmax attention of one query block over a list of key blocks, f32:
//   out = softmax(q K^T * scale) V,   lse = log(sum over keys of exp(q . k * scale))
// with the online softmax of FlashAttention (Dao et al., 2022): per key block the accumulator is
// rescaled by exp(old maximum - new maximum). Memory is laid out by the caller; see
// `../attention.ts` and `scratch.ts`.

import { exponentials } from './exponential';
import { packKeys, packQueries } from './pack';
import { RECURRENT_SCRATCH_BYTES, walkFours } from './recurrent';
import { scorePanel, weightPanel } from './products';
import { scoreRow, weightRow32, weightRow8 } from './row-products';
import {
  accumulatorOf,
  BLOCK_KEYS,
  BLOCK_QUERIES,
  MAX_HEAD_SIZE,
  maximaOf,
  NOTHING_SEEN,
  queryTileOf,
  rescalingsOf,
  SCORE_ROW_BYTES,
  SCRATCH_BYTES,
  sumsOf,
} from './scratch';
import { maskColumns, softmaxStep } from './softmax';

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
  isPartial: bool,
): void;

@external('env', 'log')
declare function log(x: f64): f64;

/** Head size of values and accumulators: a multiple of the 8 dims of a register tile. */
@inline
function padded(headSize: usize): usize {
  return (headSize + 7) & ~7;
}

/** Accumulator 0, sum 0, nothing seen. */
function begin(scratch: usize, rows: usize, headSize: usize): void {
  memory.fill(accumulatorOf(scratch), 0, 4 * rows * padded(headSize));
  for (let row: usize = 0; row < rows; row++) {
    store<f32>(maximaOf(scratch) + 4 * row, NOTHING_SEEN);
    store<f32>(sumsOf(scratch) + 4 * row, 0);
  }
}

/** Divides by the sums into `output` [rows][headSize] and `lse` [rows]; no key: 0 and -Infinity. */
function finish(scratch: usize, rows: usize, headSize: usize, output: usize, lse: usize): void {
  const rowBytes: usize = 4 * padded(headSize);
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

/** Scores of a tile by register tiles; `keys` is [BLOCK_KEYS / 8][headSize][8]. */
function scoreTile(scratch: usize, keys: usize, rows: usize, headSize: usize, scale: f32): void {
  for (let column: usize = 0; column < BLOCK_KEYS; column += 8) {
    const panel = keys + 4 * headSize * column;
    for (let row: usize = 0; row < rows; row += 4) {
      const scores = scratch + row * SCORE_ROW_BYTES + 4 * column;
      scorePanel(queryTileOf(scratch) + 4 * headSize * row, panel, scores, headSize, scale);
    }
  }
}

/** Adds a tile's weighted values by register tiles. */
function weightTile(scratch: usize, values: usize, rows: usize, headSize: usize): void {
  const rowBytes: usize = 4 * padded(headSize);
  for (let d: usize = 0; d < rowBytes; d += 32) {
    for (let row: usize = 0; row < rows; row += 4) {
      const out = accumulatorOf(scratch) + row * rowBytes + d;
      const weights = scratch + row * SCORE_ROW_BYTES;
      weightPanel(weights, values + d, out, rowBytes, rescalingsOf(scratch) + 4 * row);
    }
  }
}

/** Adds a tile's weighted values row by row. */
function weightRows(scratch: usize, values: usize, rows: usize, headSize: usize): void {
  const rowBytes: usize = 4 * padded(headSize);
  for (let row: usize = 0; row < rows; row++) {
    const out = accumulatorOf(scratch) + row * rowBytes;
    const weights = scratch + row * SCORE_ROW_BYTES;
    const rescaling = load<f32>(rescalingsOf(scratch) + 4 * row);
    let d: usize = 0;
    for (; d + 128 <= rowBytes; d += 128) {
      weightRow32(weights, values + d, out + d, rowBytes, rescaling);
    }
    for (; d < rowBytes; d += 32) weightRow8(weights, values + d, out + d, rowBytes, rescaling);
  }
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
  modifiesFullBlocks: bool,
): void {
  // The tiled path computes whole groups of four rows; those past the end are zeros.
  const computed = isRowWise ? rows : (rows + 3) & ~3;
  begin(scratch, computed, headSize);
  if (!isRowWise) packQueries(query, queryTileOf(scratch), rows, headSize);
  for (let i: usize = 0; i < blockCount; i++) {
    const firstKey = BLOCK_KEYS * <usize>load<u32>(blocks + 4 * i);
    const blockKeys = keys + 4 * headSize * firstKey;
    if (isRowWise) {
      for (let row: usize = 0; row < rows; row++) {
        const scores = scratch + row * SCORE_ROW_BYTES;
        scoreRow(query + 4 * headSize * row, blockKeys, scores, headSize, scale);
      }
    } else scoreTile(scratch, blockKeys, computed, headSize, scale);
    const isPartial = i >= fullCount;
    if (isPartial || modifiesFullBlocks) {
      modify(scratch, batch, head, firstRow, firstKey, isPartial);
    }
    if (firstKey + BLOCK_KEYS > keyCount) maskColumns(scratch, computed, keyCount - firstKey);
    softmaxStep(scratch, computed);
    const blockValues = values + 4 * padded(headSize) * firstKey;
    if (isRowWise) weightRows(scratch, blockValues, rows, headSize);
    else weightTile(scratch, blockValues, computed, headSize);
  }
  finish(scratch, rows, headSize, output, lse);
}
