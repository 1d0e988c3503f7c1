/** Largest finite f16. */
export const LARGEST_HALF = 65_504;

/** Distance of subnormal f16 numbers. */
const SMALLEST_HALF = 2 ** -24;
const SMALLEST_NORMAL_HALF = 2 ** -14;
const NAN_HALF = 0x7e00;

/** Value of 16 bits as IEEE 754 binary16. */
export function halfToNumber(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * SMALLEST_HALF;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Bits of the largest f16 that is not above `magnitude`, for 0 <= magnitude <= LARGEST_HALF. */
function truncated(magnitude: number): number {
  if (magnitude < SMALLEST_NORMAL_HALF) return Math.floor(magnitude / SMALLEST_HALF);
  let exponent = Math.floor(Math.log2(magnitude));
  // The logarithm may round across a power of two.
  if (2 ** exponent > magnitude) exponent--;
  if (2 ** (exponent + 1) <= magnitude) exponent++;
  const fraction = Math.floor((magnitude / 2 ** exponent - 1) * 1024);
  return ((exponent + 15) << 10) | fraction;
}

/**
 * Bits of the f16 next to `value` in a direction: up is the smallest not below it, down the largest
 * not above it. Ranges rounded outwards still hold all their values.
 *
 * @throws RangeError above 65,504 in magnitude, or NaN
 */
export function numberToHalf(value: number, direction: 'up' | 'down'): number {
  const magnitude = Math.abs(value);
  if (!(magnitude <= LARGEST_HALF)) {
    throw new RangeError(`invalid f16: ${value} (expected -${LARGEST_HALF}..${LARGEST_HALF})`);
  }
  const bits = truncated(magnitude);
  const grows = direction === (value < 0 ? 'down' : 'up');
  const rounded = grows && halfToNumber(bits) < magnitude ? bits + 1 : bits;
  return value < 0 ? rounded | 0x8000 : rounded;
}

/** Two f16 per word, the first in the lower bits; every value must be one. */
export function packHalves(values: Float32Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i++) {
    const bits = numberToHalf(values[i]!, 'down');
    words[i >> 1] = (words[i >> 1]! | (bits << (16 * (i & 1)))) >>> 0;
  }
  return words;
}

/**
 * Bits of the f16 nearest to each number, ties to even, subnormal ones too; NaN stays NaN, because
 * rows of a pool that no token owns may hold anything.
 *
 * @throws RangeError above 65,504 in magnitude
 */
export function roundToHalves(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const magnitude = Math.abs(value);
    if (magnitude > LARGEST_HALF) {
      throw new RangeError(
        `invalid f16: ${value} at ${i} (expected -${LARGEST_HALF}..${LARGEST_HALF})`,
      );
    }
    const sign = (bits[i]! >>> 16) & 0x8000;
    if (Number.isNaN(value)) {
      halves[i] = sign | NAN_HALF;
      continue;
    }
    if (magnitude < SMALLEST_NORMAL_HALF) {
      halves[i] = sign | roundEven(magnitude / SMALLEST_HALF);
      continue;
    }
    // 13 of the 23 bits of the fraction go; a carry out of it grows the exponent, as it should.
    const kept = (bits[i]! & 0x7fffffff) - ((127 - 15) << 23);
    const odd = (kept >>> 13) & 1;
    halves[i] = sign | ((kept + 0xfff + odd) >>> 13);
  }
  return halves;
}

/** Nearest whole number, ties to even. */
function roundEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below + (below & 1);
}

let everyHalf: Float32Array | undefined;

export function halvesToNumbers(halves: Uint16Array): Float32Array<ArrayBuffer> {
  // There are 65,536 of them: a look-up is several times as fast as their powers of two.
  everyHalf ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfToNumber(bits));
  const table = everyHalf;
  const numbers = new Float32Array(halves.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = table[halves[i]!]!;
  return numbers;
}
