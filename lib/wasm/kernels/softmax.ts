import { exponential } from './exponential';
import {
  BLOCK_KEYS,
  MASKED,
  maximaOf,
  rescalingsOf,
  SCORE_ROW_BYTES,
  sumsOf,
} from './scratch';

/** Masks the columns of the tile from `column` on: keys past the end of a ragged last block. */
export function maskColumns(scores: usize, rows: usize, column: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    for (let j = column; j < BLOCK_KEYS; j++) {
      store<f32>(scores + row * SCORE_ROW_BYTES + 4 * j, MASKED);
    }
  }
}

@inline
function maximumLane(x: v128): f32 {
  const pairs = f32x4.pmax(x, v128.shuffle<f32>(x, x, 2, 3, 2, 3));
  const one = f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 1, 1, 1, 1));
  return f32x4.extract_lane(one, 0);
}

@inline
function sumOfLanes(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 2, 3));
  const one = f32x4.add(pairs, v128.shuffle<f32>(pairs, pairs, 1, 1, 1, 1));
  return f32x4.extract_lane(one, 0);
}

/**
 * One step of the online softmax (Milakov and Gimelshein, 2018) for the rows of a score tile. With
 * m the row's maximum so far and m' = max(m, scores):
 * `scores = exp(scores - m')`, `rescaling = exp(m - m')`, `sum = sum * rescaling + sum of scores`.
 * A NaN among the scores is lost in the maximum and comes back through exp, into the row's sum.
 */
export function softmaxStep(scratch: usize, rows: usize): void {
  const maxima = maximaOf(scratch);
  const sums = sumsOf(scratch);
  const rescalings = rescalingsOf(scratch);
  for (let row: usize = 0; row < rows; row++) {
    const start = scratch + row * SCORE_ROW_BYTES;
    const end = start + SCORE_ROW_BYTES;
    let max0 = v128.load(start);
    let max1 = v128.load(start, 16);
    for (let at = start + 32; at < end; at += 32) {
      max0 = f32x4.pmax(max0, v128.load(at));
      max1 = f32x4.pmax(max1, v128.load(at, 16));
    }
    const before = load<f32>(maxima + 4 * row);
    const blockMaximum = maximumLane(f32x4.pmax(max0, max1));
    const maximum = blockMaximum > before ? blockMaximum : before;
    const shift = f32x4.splat(maximum);
    let sum0 = f32x4.splat(0);
    let sum1 = f32x4.splat(0);
    for (let at = start; at < end; at += 32) {
      const weight0 = exponential(f32x4.sub(v128.load(at), shift));
      const weight1 = exponential(f32x4.sub(v128.load(at, 16), shift));
      v128.store(at, weight0);
      v128.store(at, weight1, 16);
      sum0 = f32x4.add(sum0, weight0);
      sum1 = f32x4.add(sum1, weight1);
    }
    const rescaling = f32x4.extract_lane(exponential(f32x4.splat(before - maximum)), 0);
    const sum = load<f32>(sums + 4 * row) * rescaling + sumOfLanes(f32x4.add(sum0, sum1));
    store<f32>(maxima + 4 * row, maximum);
    store<f32>(sums + 4 * row, sum);
    store<f32>(rescalings + 4 * row, rescaling);
  }
}
