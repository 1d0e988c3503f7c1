import { multiplyAdd } from './multiply-add';
import { DECAYS, ERASERS, FACTORS, OVERLAPS, READERS, SCORES, WRITERS } from './recurrent-scratch';
import { sumOfEach } from './softmax';

// What four tokens need before any panel of the state: products of decays, and of queries and keys
// with each other. Four channels at a time: lanes are channels until a square is transposed.

/** Stores four vectors over channels, one per token, as four over tokens, one per channel. */
@inline
function storeTransposed(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(at, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
  v128.store(at, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7), 16);
  v128.store(at, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5), 32);
  v128.store(at, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7), 48);
}

/** Decays of one token and four channels, from channel c on; without a stride one serves them all. */
@inline
function decaysOf(token: usize, channelStride: usize, c: usize): v128 {
  return channelStride == 0 ? v128.load32_splat(token) : v128.load(token + 4 * c);
}

/** READERS, WRITERS, DECAYS and SCORES; and factors of 1. */
export function prepareFour(
  scratch: usize,
  query: usize,
  key: usize,
  decay: usize,
  tokenStride: usize,
  channelStride: usize,
  keySize: usize,
): void {
  const row: usize = 4 * keySize;
  const none = f32x4.splat(0);
  let s00 = none;
  let s10 = none;
  let s11 = none;
  let s20 = none;
  let s21 = none;
  let s22 = none;
  let s30 = none;
  let s31 = none;
  let s32 = none;
  let s33 = none;
  for (let c: usize = 0; c < keySize; c += 4) {
    const at = scratch + 16 * c;
    const a1 = decaysOf(decay + tokenStride, channelStride, c);
    const a2 = decaysOf(decay + 2 * tokenStride, channelStride, c);
    const a3 = decaysOf(decay + 3 * tokenStride, channelStride, c);
    const d0 = decaysOf(decay, channelStride, c);
    const d1 = f32x4.mul(d0, a1);
    const d2 = f32x4.mul(d1, a2);
    const d3 = f32x4.mul(d2, a3);
    v128.store(scratch + DECAYS + 4 * c, d3);
    const q0 = v128.load(query);
    const q1 = v128.load(query + row);
    const q2 = v128.load(query + 2 * row);
    const q3 = v128.load(query + 3 * row);
    query += 16;
    storeTransposed(
      at + READERS,
      f32x4.mul(q0, d0),
      f32x4.mul(q1, d1),
      f32x4.mul(q2, d2),
      f32x4.mul(q3, d3),
    );
    // Key j as the tokens after it see it, one by one.
    let k0 = v128.load(key);
    s00 = multiplyAdd(q0, k0, s00);
    k0 = f32x4.mul(k0, a1);
    s10 = multiplyAdd(q1, k0, s10);
    k0 = f32x4.mul(k0, a2);
    s20 = multiplyAdd(q2, k0, s20);
    k0 = f32x4.mul(k0, a3);
    s30 = multiplyAdd(q3, k0, s30);
    let k1 = v128.load(key + row);
    s11 = multiplyAdd(q1, k1, s11);
    k1 = f32x4.mul(k1, a2);
    s21 = multiplyAdd(q2, k1, s21);
    k1 = f32x4.mul(k1, a3);
    s31 = multiplyAdd(q3, k1, s31);
    let k2 = v128.load(key + 2 * row);
    s22 = multiplyAdd(q2, k2, s22);
    k2 = f32x4.mul(k2, a3);
    s32 = multiplyAdd(q3, k2, s32);
    const k3 = v128.load(key + 3 * row);
    s33 = multiplyAdd(q3, k3, s33);
    key += 16;
    storeTransposed(at + WRITERS, k0, k1, k2, k3);
  }
  v128.store(scratch + SCORES, sumOfEach(s00, none, none, none));
  v128.store(scratch + SCORES, sumOfEach(s10, s11, none, none), 16);
  v128.store(scratch + SCORES, sumOfEach(s20, s21, s22, none), 32);
  v128.store(scratch + SCORES, sumOfEach(s30, s31, s32, s33), 48);
  v128.store(scratch + FACTORS, f32x4.splat(1));
}

/** ERASERS and OVERLAPS, for delta rules. */
export function prepareErasers(
  scratch: usize,
  key: usize,
  decay: usize,
  tokenStride: usize,
  channelStride: usize,
  keySize: usize,
): void {
  const row: usize = 4 * keySize;
  const none = f32x4.splat(0);
  let o10 = none;
  let o20 = none;
  let o21 = none;
  let o30 = none;
  let o31 = none;
  let o32 = none;
  for (let c: usize = 0; c < keySize; c += 4) {
    const a1 = decaysOf(decay + tokenStride, channelStride, c);
    const a2 = decaysOf(decay + 2 * tokenStride, channelStride, c);
    const a3 = decaysOf(decay + 3 * tokenStride, channelStride, c);
    const d0 = decaysOf(decay, channelStride, c);
    const d1 = f32x4.mul(d0, a1);
    const d2 = f32x4.mul(d1, a2);
    const k0 = v128.load(key);
    const k1 = v128.load(key + row);
    const k2 = v128.load(key + 2 * row);
    const k3 = v128.load(key + 3 * row);
    key += 16;
    storeTransposed(
      scratch + ERASERS + 16 * c,
      f32x4.mul(k0, d0),
      f32x4.mul(k1, d1),
      f32x4.mul(k2, d2),
      f32x4.mul(k3, f32x4.mul(d2, a3)),
    );
    let seen0 = f32x4.mul(k0, a1);
    o10 = multiplyAdd(k1, seen0, o10);
    seen0 = f32x4.mul(seen0, a2);
    o20 = multiplyAdd(k2, seen0, o20);
    o30 = multiplyAdd(k3, f32x4.mul(seen0, a3), o30);
    const seen1 = f32x4.mul(k1, a2);
    o21 = multiplyAdd(k2, seen1, o21);
    o31 = multiplyAdd(k3, f32x4.mul(seen1, a3), o31);
    o32 = multiplyAdd(k3, f32x4.mul(k2, a3), o32);
  }
  v128.store(scratch + OVERLAPS, sumOfEach(o10, none, none, none), 16);
  v128.store(scratch + OVERLAPS, sumOfEach(o20, o21, none, none), 32);
  v128.store(scratch + OVERLAPS, sumOfEach(o30, o31, o32, none), 48);
}

/** Below this z . q counts as an empty state, whose output is 0. */
const SMALLEST_NORMALISER: f32 = 1e-6;

/** FACTORS 1 / (z . q), and the normaliser z after the four tokens; after `prepareFour`. */
export function normaliseFour(scratch: usize, normaliser: usize, keySize: usize): void {
  let weights = sumOfEach(
    v128.load(scratch + SCORES),
    v128.load(scratch + SCORES, 16),
    v128.load(scratch + SCORES, 32),
    v128.load(scratch + SCORES, 48),
  );
  for (let c: usize = 0; c < keySize; c += 4) {
    const readers = scratch + READERS + 16 * c;
    const writers = scratch + WRITERS + 16 * c;
    const at = normaliser + 4 * c;
    weights = multiplyAdd(v128.load32_splat(at), v128.load(readers), weights);
    weights = multiplyAdd(v128.load32_splat(at, 4), v128.load(readers, 16), weights);
    weights = multiplyAdd(v128.load32_splat(at, 8), v128.load(readers, 32), weights);
    weights = multiplyAdd(v128.load32_splat(at, 12), v128.load(readers, 48), weights);
    const written = sumOfEach(
      v128.load(writers),
      v128.load(writers, 16),
      v128.load(writers, 32),
      v128.load(writers, 48),
    );
    v128.store(at, multiplyAdd(v128.load(at), v128.load(scratch + DECAYS + 4 * c), written));
  }
  const isEmpty = f32x4.lt(weights, f32x4.splat(SMALLEST_NORMALISER));
  v128.store(scratch + FACTORS, v128.andnot(f32x4.div(f32x4.splat(1), weights), isEmpty));
}
