/**
 * Dot product of two f32 rows, summed in f64. Four sums, because a single one is bound by the
 * latency of the addition.
 */
export function dot(
  a: Float32Array,
  aOffset: number,
  b: Float32Array,
  bOffset: number,
  length: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let d = 0;
  for (; d + 3 < length; d += 4) {
    s0 += (a[aOffset + d] as number) * (b[bOffset + d] as number);
    s1 += (a[aOffset + d + 1] as number) * (b[bOffset + d + 1] as number);
    s2 += (a[aOffset + d + 2] as number) * (b[bOffset + d + 2] as number);
    s3 += (a[aOffset + d + 3] as number) * (b[bOffset + d + 3] as number);
  }
  for (; d < length; d++) s0 += (a[aOffset + d] as number) * (b[bOffset + d] as number);
  return s0 + s1 + (s2 + s3);
}

/** Dot product of two rows of integer codes, exact in int32 (|code| <= 127, length <= 4096). */
export function dotCodes(
  a: Int8Array,
  aOffset: number,
  b: Int8Array,
  bOffset: number,
  length: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let d = 0;
  for (; d + 1 < length; d += 2) {
    s0 = (s0 + Math.imul(a[aOffset + d] as number, b[bOffset + d] as number)) | 0;
    s1 = (s1 + Math.imul(a[aOffset + d + 1] as number, b[bOffset + d + 1] as number)) | 0;
  }
  if (d < length) s0 = (s0 + Math.imul(a[aOffset + d] as number, b[bOffset + d] as number)) | 0;
  return (s0 + s1) | 0;
}

/** Softmax of values[0 .. length) in place; -Infinity becomes 0, and a row of them stays 0. */
export function softmaxInPlace(values: Float64Array, length: number): void {
  let maximum = -Infinity;
  for (let i = 0; i < length; i++) maximum = Math.max(maximum, values[i] as number);
  if (maximum === -Infinity) {
    values.fill(0, 0, length);
    return;
  }
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const weight = Math.exp((values[i] as number) - maximum);
    values[i] = weight;
    sum += weight;
  }
  for (let i = 0; i < length; i++) values[i] = (values[i] as number) / sum;
}
