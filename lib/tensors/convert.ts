import type { ReadableDtype } from './dtype';

let halves: Float32Array | undefined;

/** Value of IEEE 754 binary16 bits, with infinities and NaN. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Little-endian bytes of a dtype as f32: exact for F32, F16 and BF16, rounded for F64 (an
 * infinity above the range of f32).
 *
 * @param bytes a whole number of elements
 * @param out of as many elements
 */
export function toFloat32(bytes: ArrayBuffer, dtype: ReadableDtype, out: Float32Array): void {
  switch (dtype) {
    case 'F32':
      out.set(new Float32Array(bytes));
      return;
    case 'F64':
      out.set(new Float64Array(bytes));
      return;
    case 'F16': {
      halves ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfValue(bits));
      const table = halves;
      new Uint16Array(bytes).forEach((bits, i) => {
        out[i] = table[bits] as number;
      });
      return;
    }
    case 'BF16': {
      // The upper half of an f32.
      const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
      new Uint16Array(bytes).forEach((bits, i) => {
        words[i] = bits << 16;
      });
    }
  }
}
