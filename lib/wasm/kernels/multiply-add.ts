/**
 * `a * b + c` of every lane. The relaxed binary leaves it to the processor, which where it can rounds
 * once and takes one instruction; the plain one rounds twice everywhere.
 */
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}
