import { checkInteger } from './checks';

/** Symmetric integer codes with one scale per token: value ~ code x scale. */
export interface TokenCodes {
  /** [tokens, headSize]. */
  readonly codes: Int8Array;
  /** [tokens]; 0 for a row of zeros. */
  readonly scales: Float64Array;
  readonly bits: number;
}

/** Mean of every channel over all rows, [headSize]. */
export function channelMeans(values: Float32Array, tokens: number, headSize: number): Float32Array {
  const sums = new Float64Array(headSize);
  for (let t = 0; t < tokens; t++) {
    for (let d = 0; d < headSize; d++) {
      sums[d] = (sums[d] as number) + (values[t * headSize + d] as number);
    }
  }
  return Float32Array.from(sums, (sum) => sum / tokens);
}

/**
 * Rounds every row to `bits` bits, symmetric around 0: scale = max |x| / (2^(bits - 1) - 1), so the
 * rounding error of a value is at most half its row's scale.
 *
 * @param values [tokens, headSize]
 * @param mean subtracted from every row first, [headSize]; a shift of all keys moves all scores of
 *   a query by the same amount, and smaller ranges round finer
 */
export function quantiseTokens(
  values: Float32Array,
  tokens: number,
  headSize: number,
  bits: number,
  mean?: Float32Array,
): TokenCodes {
  checkInteger('bits', bits, 2, 8);
  const top = 2 ** (bits - 1) - 1;
  const codes = new Int8Array(tokens * headSize);
  const scales = new Float64Array(tokens);
  const row = new Float64Array(headSize);
  for (let t = 0; t < tokens; t++) {
    const offset = t * headSize;
    let largest = 0;
    for (let d = 0; d < headSize; d++) {
      const x = (values[offset + d] as number) - (mean === undefined ? 0 : (mean[d] as number));
      row[d] = x;
      largest = Math.max(largest, Math.abs(x));
    }
    if (largest === 0) continue;
    const scale = largest / top;
    scales[t] = scale;
    for (let d = 0; d < headSize; d++) codes[offset + d] = Math.round((row[d] as number) / scale);
  }
  return { codes, scales, bits };
}
