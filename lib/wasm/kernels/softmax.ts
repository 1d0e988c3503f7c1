import { exponential } from './exponential';
import { multiplyAdd } from './multiply-add';
import {
  BLOCK_KEYS,
  MASKED,
  maximaOf,
  rescalingsOf,
  SCORE_ROW_BYTES,
  sumsOf,
} from './scratch';
import { nextSegment, scoreBytesOf, scoresOf } from './segments';

/** Masks the columns of the tile from `column` on: keys past the end of a ragged last block. */
export function maskColumns(scores: usize, rows: usize, column: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    for (let j = column; j < BLOCK_KEYS; j++) {
      store<f32>(scores + row * SCORE_ROW_BYTES + 4 * j, MASKED);
    }
  }
}

// Bit j of a lane of `LOW_BITS`: column j of four.
const LOW_BITS: v128 = i32x4(1, 2, 4, 8);

/** Masks those of four columns from `column` on, a multiple of 4, of one row whose bit is 0. */
@inline
export function maskHidden(row: usize, bits: u32, column: usize): void {
  const lanes = v128.and(i32x4.splat(bits >>> <u32>column), LOW_BITS);
  const at = row + 4 * column;
  const seen = i32x4.eq(lanes, LOW_BITS);
  v128.store(at, v128.bitselect(v128.load(at), f32x4.splat(MASKED), seen));
}

/** Largest of every lane over [start, end). */
@inline
function maximumOf(start: usize, end: usize): v128 {
  let maximum = v128.load(start);
  for (let at = start + 16; at < end; at += 16) maximum = f32x4.pmax(maximum, v128.load(at));
  return maximum;
}

/** `exp(x - shift)` in place over [start, end); their sum, lane by lane. */
@inline
function exponentialsOf(start: usize, end: usize, shift: v128): v128 {
  let sum = f32x4.splat(0);
  for (let at = start; at < end; at += 16) {
    const weight = exponential(f32x4.sub(v128.load(at), shift));
    v128.store(at, weight);
    sum = f32x4.add(sum, weight);
  }
  return sum;
}

// Four vectors a, b, c, d as the rows of a square: the halves of its transposed.
@inline
function lowPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

@inline
function highPairs(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}

/** Lane i: the largest lane of the i-th vector. */
@inline
function largestOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.pmax(lowPairs(a, b), highPairs(a, b));
  const cd = f32x4.pmax(lowPairs(c, d), highPairs(c, d));
  return f32x4.pmax(
    v128.shuffle<f32>(ab, cd, 0, 1, 4, 5),
    v128.shuffle<f32>(ab, cd, 2, 3, 6, 7),
  );
}

/** Lane i: the sum of the i-th vector's lanes. */
@inline
export function sumOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(lowPairs(a, b), highPairs(a, b));
  const cd = f32x4.add(lowPairs(c, d), highPairs(c, d));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/**
 * One step of the online softmax (Milakov and Gimelshein, 2018) for four rows from `row` on and the
 * keys of their segments. With m the row's maximum so far and
 * m' = max(m, scores):
 * `scores = exp(scores - m')`, `rescaling = exp(m - m')`, `sum = sum * rescaling + sum of scores`.
 * A NaN among the scores is lost in the maximum and comes back through exp, into the row's sum.
 */
export function softmaxFour(scratch: usize, row: usize, segments: usize, end: usize): void {
  const maxima = maximaOf(scratch) + 4 * row;
  const before = v128.load(maxima);
  let largest0 = f32x4.splat(MASKED);
  let largest1 = largest0;
  let largest2 = largest0;
  let largest3 = largest0;
  for (let segment = segments; segment < end; segment = nextSegment(segment)) {
    let at = scoresOf(segment);
    const last = at + scoreBytesOf(segment);
    for (; at < last; at += 16) {
      largest0 = f32x4.pmax(largest0, v128.load(at));
      largest1 = f32x4.pmax(largest1, v128.load(at, SCORE_ROW_BYTES));
      largest2 = f32x4.pmax(largest2, v128.load(at, 2 * SCORE_ROW_BYTES));
      largest3 = f32x4.pmax(largest3, v128.load(at, 3 * SCORE_ROW_BYTES));
    }
  }
  const largest = largestOfEach(largest0, largest1, largest2, largest3);
  const maximum = f32x4.pmax(before, largest);
  const rescaling = exponential(f32x4.sub(before, maximum));
  v128.store(maxima, maximum);
  v128.store(rescalingsOf(scratch) + 4 * row, rescaling);
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  for (let segment = segments; segment < end; segment = nextSegment(segment)) {
    let at = scoresOf(segment);
    const last = at + scoreBytesOf(segment);
    for (; at < last; at += 16) {
      let weight = exponential(f32x4.sub(v128.load(at), v128.load32_splat(maxima)));
      v128.store(at, weight);
      sum0 = f32x4.add(sum0, weight);
      weight = exponential(
        f32x4.sub(v128.load(at, SCORE_ROW_BYTES), v128.load32_splat(maxima, 4)),
      );
      v128.store(at, weight, SCORE_ROW_BYTES);
      sum1 = f32x4.add(sum1, weight);
      weight = exponential(
        f32x4.sub(v128.load(at, 2 * SCORE_ROW_BYTES), v128.load32_splat(maxima, 8)),
      );
      v128.store(at, weight, 2 * SCORE_ROW_BYTES);
      sum2 = f32x4.add(sum2, weight);
      weight = exponential(
        f32x4.sub(v128.load(at, 3 * SCORE_ROW_BYTES), v128.load32_splat(maxima, 12)),
      );
      v128.store(at, weight, 3 * SCORE_ROW_BYTES);
      sum3 = f32x4.add(sum3, weight);
    }
  }
  const sums = sumsOf(scratch) + 4 * row;
  const added = sumOfEach(sum0, sum1, sum2, sum3);
  v128.store(sums, multiplyAdd(v128.load(sums), rescaling, added));
}

/** `softmaxFour` of one row. */
export function softmaxRow(scratch: usize, row: usize, from: usize, to: usize): void {
  const start = scratch + row * SCORE_ROW_BYTES + 4 * from;
  const end = start + 4 * (to - from);
  const maxima = maximaOf(scratch) + 4 * row;
  const before = load<f32>(maxima);
  const lanes = maximumOf(start, end);
  const largest = f32x4.extract_lane(largestOfEach(lanes, lanes, lanes, lanes), 0);
  const maximum = largest > before ? largest : before;
  const rescaling = f32x4.extract_lane(exponential(f32x4.splat(before - maximum)), 0);
  const added = exponentialsOf(start, end, f32x4.splat(maximum));
  const sum = f32x4.extract_lane(sumOfEach(added, added, added, added), 0);
  const sums = sumsOf(scratch) + 4 * row;
  store<f32>(sums, load<f32>(sums) * rescaling + sum);
  store<f32>(maxima, maximum);
  store<f32>(rescalingsOf(scratch) + 4 * row, rescaling);
}
