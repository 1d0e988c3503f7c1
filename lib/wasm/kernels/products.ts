import { multiplyAdd } from './multiply-add';
import { SCORE_ROW_BYTES } from './scratch';
import { keysOf, nextSegment, valuesOf, weightsOf } from './segments';

// Register tiles of the two products: 4 rows x 8 columns in eight accumulators. One step of the
// inner loop is 2 loads of four columns, 4 splats of one row's factor, 8 multiplications and 8
// additions; three more registers hold operands, which fits the 16 of x86-64.

const ROW_1: usize = SCORE_ROW_BYTES;
const ROW_2: usize = 2 * SCORE_ROW_BYTES;
const ROW_3: usize = 3 * SCORE_ROW_BYTES;

/**
 * Scores of 4 queries and 8 keys: `scores[i][j] = scale * sum over d of query[d][i] * keys[d][j]`.
 *
 * @param query [headSize][4], interleaved rows
 * @param keys [headSize][8], one transposed panel
 * @param scores four rows of the score tile, at the panel's first column
 */
export function scorePanel(
  query: usize,
  keys: usize,
  scores: usize,
  headSize: usize,
  scale: f32,
): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  let s10 = f32x4.splat(0);
  let s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0);
  let s21 = f32x4.splat(0);
  let s30 = f32x4.splat(0);
  let s31 = f32x4.splat(0);
  const end = query + 16 * headSize;
  while (query < end) {
    const k0 = v128.load(keys);
    const k1 = v128.load(keys, 16);
    let q = v128.load32_splat(query);
    s00 = multiplyAdd(q, k0, s00);
    s01 = multiplyAdd(q, k1, s01);
    q = v128.load32_splat(query, 4);
    s10 = multiplyAdd(q, k0, s10);
    s11 = multiplyAdd(q, k1, s11);
    q = v128.load32_splat(query, 8);
    s20 = multiplyAdd(q, k0, s20);
    s21 = multiplyAdd(q, k1, s21);
    q = v128.load32_splat(query, 12);
    s30 = multiplyAdd(q, k0, s30);
    s31 = multiplyAdd(q, k1, s31);
    query += 16;
    keys += 32;
  }
  const factor = f32x4.splat(scale);
  v128.store(scores, f32x4.mul(s00, factor));
  v128.store(scores, f32x4.mul(s01, factor), 16);
  v128.store(scores, f32x4.mul(s10, factor), ROW_1);
  v128.store(scores, f32x4.mul(s11, factor), ROW_1 + 16);
  v128.store(scores, f32x4.mul(s20, factor), ROW_2);
  v128.store(scores, f32x4.mul(s21, factor), ROW_2 + 16);
  v128.store(scores, f32x4.mul(s30, factor), ROW_3);
  v128.store(scores, f32x4.mul(s31, factor), ROW_3 + 16);
}

/**
 * Weighted values of 4 queries and 8 dims:
 * `to[i][d] = (from[i][d] * rescaling[i] + sum over keys j of weights[i][j] * values[j][d]) * factor[i]`.
 *
 * @param segments,end the keys, and their weights
 * @param offset bytes of a row before the 8 dims
 * @param from,to four rows each
 * @param rowBytes bytes between rows of the values, of `from` and of `to`
 * @param hasBegun false: what `from` holds counts as 0
 */
export function weightPanel(
  segments: usize,
  end: usize,
  offset: usize,
  from: usize,
  to: usize,
  rowBytes: usize,
  rescalings: usize,
  hasBegun: bool,
  factors: usize,
): void {
  let o00 = f32x4.splat(0);
  let o01 = o00;
  let o10 = o00;
  let o11 = o00;
  let o20 = o00;
  let o21 = o00;
  let o30 = o00;
  let o31 = o00;
  if (hasBegun) {
    let out = from + offset;
    let rescaling = v128.load32_splat(rescalings);
    o00 = f32x4.mul(v128.load(out), rescaling);
    o01 = f32x4.mul(v128.load(out, 16), rescaling);
    out += rowBytes;
    rescaling = v128.load32_splat(rescalings, 4);
    o10 = f32x4.mul(v128.load(out), rescaling);
    o11 = f32x4.mul(v128.load(out, 16), rescaling);
    out += rowBytes;
    rescaling = v128.load32_splat(rescalings, 8);
    o20 = f32x4.mul(v128.load(out), rescaling);
    o21 = f32x4.mul(v128.load(out, 16), rescaling);
    out += rowBytes;
    rescaling = v128.load32_splat(rescalings, 12);
    o30 = f32x4.mul(v128.load(out), rescaling);
    o31 = f32x4.mul(v128.load(out, 16), rescaling);
  }
  for (let segment = segments; segment < end; segment = nextSegment(segment)) {
    let values = valuesOf(segment) + offset;
    let weights = weightsOf(segment);
    const weightsEnd = weights + 4 * keysOf(segment);
    while (weights < weightsEnd) {
      const v0 = v128.load(values);
      const v1 = v128.load(values, 16);
      let w = v128.load32_splat(weights);
      o00 = multiplyAdd(w, v0, o00);
      o01 = multiplyAdd(w, v1, o01);
      w = v128.load32_splat(weights, ROW_1);
      o10 = multiplyAdd(w, v0, o10);
      o11 = multiplyAdd(w, v1, o11);
      w = v128.load32_splat(weights, ROW_2);
      o20 = multiplyAdd(w, v0, o20);
      o21 = multiplyAdd(w, v1, o21);
      w = v128.load32_splat(weights, ROW_3);
      o30 = multiplyAdd(w, v0, o30);
      o31 = multiplyAdd(w, v1, o31);
      weights += 4;
      values += rowBytes;
    }
  }
  to += offset;
  let factor = v128.load32_splat(factors);
  v128.store(to, f32x4.mul(o00, factor));
  v128.store(to, f32x4.mul(o01, factor), 16);
  to += rowBytes;
  factor = v128.load32_splat(factors, 4);
  v128.store(to, f32x4.mul(o10, factor));
  v128.store(to, f32x4.mul(o11, factor), 16);
  to += rowBytes;
  factor = v128.load32_splat(factors, 8);
  v128.store(to, f32x4.mul(o20, factor));
  v128.store(to, f32x4.mul(o21, factor), 16);
  to += rowBytes;
  factor = v128.load32_splat(factors, 12);
  v128.store(to, f32x4.mul(o30, factor));
  v128.store(to, f32x4.mul(o31, factor), 16);
}
