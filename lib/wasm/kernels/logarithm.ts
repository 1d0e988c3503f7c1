import { multiplyAdd } from './multiply-add';

const LN2: f32 = 0.6931471805599453;
// The bits of the square root of 1/2: mantissas are taken from there to the square root of 2.
const ROOT_HALF_BITS: i32 = 0x3f3504f3;

/**
 * log(x) for normal positive x, four at a time: x = 2^n m and log(m) = 2 artanh(s), s = (m - 1) / (m + 1),
 * whose series in s^2 is fitted for the least largest relative error (8.1e-10 before rounding).
 * Relative error at most 3e-7; NaN stays NaN.
 */
@inline
export function logarithm(x: v128): v128 {
  const shifted = i32x4.sub(x, i32x4.splat(ROOT_HALF_BITS));
  const n = i32x4.shr_s(shifted, 23);
  const m = i32x4.sub(x, i32x4.shl(n, 23));
  const s = f32x4.div(f32x4.sub(m, f32x4.splat(1)), f32x4.add(m, f32x4.splat(1)));
  const z = f32x4.mul(s, s);
  let p = f32x4.splat(0.29871708154678345);
  p = multiplyAdd(p, z, f32x4.splat(0.3997754156589508));
  p = multiplyAdd(p, z, f32x4.splat(0.6666677594184875));
  const log = multiplyAdd(f32x4.mul(p, z), s, f32x4.add(s, s));
  const result = multiplyAdd(f32x4.convert_i32x4_s(n), f32x4.splat(LN2), log);
  return v128.bitselect(result, x, f32x4.eq(x, x));
}

/** `logarithm` of `count` values in place; `count` is a multiple of 4. */
export function logarithms(pointer: usize, count: usize): void {
  const end = pointer + 4 * count;
  while (pointer < end) {
    v128.store(pointer, logarithm(v128.load(pointer)));
    pointer += 16;
  }
}
