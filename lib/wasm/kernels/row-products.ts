import { multiplyAdd } from './multiply-add';

// The products of one row, for decode: every key and value is read once from the rows as given, so
// memory bounds the speed and no transposed copy could pay for itself.

/** Sum of each of four vectors, as one vector. */
@inline
function sumsOfFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/**
 * Scores of one query and `count` keys, a multiple of 4: `scores[j] = scale * query . keys[j]`.
 *
 * @param keys [count][headSize], readable to its end also where the tensor is not
 */
export function scoreRow(
  query: usize,
  keys: usize,
  scores: usize,
  headSize: usize,
  scale: f32,
  count: usize,
): void {
  const rowBytes: usize = 4 * headSize;
  const factor = f32x4.splat(scale);
  const scoresEnd = scores + 4 * count;
  const queryEnd = query + rowBytes;
  while (scores < scoresEnd) {
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    let key0 = keys;
    let key1 = key0 + rowBytes;
    let key2 = key1 + rowBytes;
    let key3 = key2 + rowBytes;
    keys = key3 + rowBytes;
    for (let at = query; at < queryEnd; at += 16) {
      const q = v128.load(at);
      s0 = multiplyAdd(q, v128.load(key0), s0);
      s1 = multiplyAdd(q, v128.load(key1), s1);
      s2 = multiplyAdd(q, v128.load(key2), s2);
      s3 = multiplyAdd(q, v128.load(key3), s3);
      key0 += 16;
      key1 += 16;
      key2 += 16;
      key3 += 16;
    }
    v128.store(scores, f32x4.mul(sumsOfFour(s0, s1, s2, s3), factor));
    scores += 16;
  }
}

/**
 * Weighted values of one query over `count` keys and 32 dims:
 * `out[d] = out[d] * rescaling + sum over keys j of weights[j] * values[j][d]`.
 */
export function weightRow32(
  weights: usize,
  values: usize,
  out: usize,
  rowBytes: usize,
  rescaling: f32,
  count: usize,
): void {
  const factor = f32x4.splat(rescaling);
  let o0 = f32x4.mul(v128.load(out), factor);
  let o1 = f32x4.mul(v128.load(out, 16), factor);
  let o2 = f32x4.mul(v128.load(out, 32), factor);
  let o3 = f32x4.mul(v128.load(out, 48), factor);
  let o4 = f32x4.mul(v128.load(out, 64), factor);
  let o5 = f32x4.mul(v128.load(out, 80), factor);
  let o6 = f32x4.mul(v128.load(out, 96), factor);
  let o7 = f32x4.mul(v128.load(out, 112), factor);
  const end = weights + 4 * count;
  while (weights < end) {
    const w = v128.load32_splat(weights);
    o0 = multiplyAdd(w, v128.load(values), o0);
    o1 = multiplyAdd(w, v128.load(values, 16), o1);
    o2 = multiplyAdd(w, v128.load(values, 32), o2);
    o3 = multiplyAdd(w, v128.load(values, 48), o3);
    o4 = multiplyAdd(w, v128.load(values, 64), o4);
    o5 = multiplyAdd(w, v128.load(values, 80), o5);
    o6 = multiplyAdd(w, v128.load(values, 96), o6);
    o7 = multiplyAdd(w, v128.load(values, 112), o7);
    weights += 4;
    values += rowBytes;
  }
  v128.store(out, o0);
  v128.store(out, o1, 16);
  v128.store(out, o2, 32);
  v128.store(out, o3, 48);
  v128.store(out, o4, 64);
  v128.store(out, o5, 80);
  v128.store(out, o6, 96);
  v128.store(out, o7, 112);
}

/** `weightRow32` for 8 dims: what is left of a head size that is no multiple of 32. */
export function weightRow8(
  weights: usize,
  values: usize,
  out: usize,
  rowBytes: usize,
  rescaling: f32,
  count: usize,
): void {
  const factor = f32x4.splat(rescaling);
  let o0 = f32x4.mul(v128.load(out), factor);
  let o1 = f32x4.mul(v128.load(out, 16), factor);
  const end = weights + 4 * count;
  while (weights < end) {
    const w = v128.load32_splat(weights);
    o0 = multiplyAdd(w, v128.load(values), o0);
    o1 = multiplyAdd(w, v128.load(values, 16), o1);
    weights += 4;
    values += rowBytes;
  }
  v128.store(out, o0);
  v128.store(out, o1, 16);
}
