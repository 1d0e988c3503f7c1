import { multiplyAdd } from './multiply-add';

const LOG2_E: f32 = 1.4426950408889634;
// ln 2 in two parts: the first has 9 significant bits, so its product with an exponent is exact.
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -0.00021219444005471377;
// 1.5 x 2^23: adding it rounds to an integer and leaves that integer in the low mantissa bits.
const ROUNDER: f32 = 12582912;
const LOWEST: f32 = -87;

/**
 * exp(x) for x <= 0, four at a time: 2^n exp(r) with n = round(x / ln 2) and |r| <= ln 2 / 2, where
 * exp(r) = 1 + r + r^2 q(r) with q fitted for the least largest relative error (3.1e-9 before
 * rounding).
 * Relative error at most 2e-7 over [-87, 0]; 0 below, where the result would leave the normal
 * range.
 */
@inline
export function exponential(x: v128): v128 {
  const clamped = f32x4.pmax(x, f32x4.splat(LOWEST));
  const shifted = multiplyAdd(clamped, f32x4.splat(LOG2_E), f32x4.splat(ROUNDER));
  const n = f32x4.sub(shifted, f32x4.splat(ROUNDER));
  const high = f32x4.sub(clamped, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  const r = f32x4.sub(high, f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let q = f32x4.splat(0.0013814467238262296);
  q = multiplyAdd(q, r, f32x4.splat(0.008368780836462975));
  q = multiplyAdd(q, r, f32x4.splat(0.04166839271783829));
  q = multiplyAdd(q, r, f32x4.splat(0.1666651964187622));
  q = multiplyAdd(q, r, f32x4.splat(0.4999999403953552));
  const squared = f32x4.mul(r, r);
  const mantissa = f32x4.add(multiplyAdd(q, squared, r), f32x4.splat(1));
  const result = i32x4.add(mantissa, i32x4.shl(shifted, 23));
  return v128.andnot(result, f32x4.lt(x, f32x4.splat(LOWEST)));
}

/** `exponential` of `count` values in place; `count` is a multiple of 4. */
export function exponentials(pointer: usize, count: usize): void {
  const end = pointer + 4 * count;
  while (pointer < end) {
    v128.store(pointer, exponential(v128.load(pointer)));
    pointer += 16;
  }
}
