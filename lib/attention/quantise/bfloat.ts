const NAN_BFLOAT = 0x7fc0;
/** Exponent bits of infinities and NaN. */
const ENDLESS = 0x7f80;

/**
 * Bits of the bfloat16 nearest to each number, ties to even: the upper half of an f32, rounded.
 * NaN stays NaN, because rows of a pool that no token owns may hold anything.
 *
 * @throws RangeError for an infinity, or a number that rounds to one
 */
export function roundToBfloats(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bfloats = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const word = bits[i]!;
    if (Number.isNaN(values[i])) {
      bfloats[i] = ((word >>> 16) & 0x8000) | NAN_BFLOAT;
      continue;
    }
    // A carry out of the fraction grows the exponent, as it should.
    const rounded = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    if ((rounded & ENDLESS) === ENDLESS) {
      throw new RangeError(`invalid bf16: ${values[i]} at ${i} (expected at most 3.39e38)`);
    }
    bfloats[i] = rounded;
  }
  return bfloats;
}

/** Values of 16 bits as bfloat16: exact in f32. */
export function bfloatsToNumbers(bfloats: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(bfloats.length);
  for (let i = 0; i < words.length; i++) words[i] = bfloats[i]! << 16;
  return new Float32Array(words.buffer);
}
