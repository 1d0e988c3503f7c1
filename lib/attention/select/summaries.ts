/**
 * Means of consecutive blocks of rows; the last block may be ragged.
 *
 * @param values [tokens, headSize]
 * @param order row to read at every slot, where rows are permuted
 * @returns [ceil(tokens / blockTokens), headSize]
 */
export function meanPool(
  values: Float32Array,
  tokens: number,
  headSize: number,
  blockTokens: number,
  order?: Uint32Array,
): Float32Array {
  const blocks = Math.ceil(tokens / blockTokens);
  const means = new Float32Array(blocks * headSize);
  const sum = new Float64Array(headSize);
  for (let j = 0; j < blocks; j++) {
    const start = j * blockTokens;
    const end = Math.min(tokens, start + blockTokens);
    meanOfRows(values, start, end, headSize, sum, order);
    means.set(sum, j * headSize);
  }
  return means;
}

/**
 * Means of overlapping windows of rows, whole windows only: NSA's compressed keys with the mean in
 * place of the learned compressor.
 *
 * @returns [max(0, floor((tokens - windowTokens) / strideTokens) + 1), headSize]
 */
export function slidingMeans(
  values: Float32Array,
  tokens: number,
  headSize: number,
  windowTokens: number,
  strideTokens: number,
): Float32Array {
  const windows = Math.max(0, Math.floor((tokens - windowTokens) / strideTokens) + 1);
  const means = new Float32Array(windows * headSize);
  const sum = new Float64Array(headSize);
  for (let w = 0; w < windows; w++) {
    const start = w * strideTokens;
    meanOfRows(values, start, start + windowTokens, headSize, sum);
    means.set(sum, w * headSize);
  }
  return means;
}

/** Mean of rows [start, end) into `out`, f64. */
export function meanOfRows(
  values: Float32Array,
  start: number,
  end: number,
  headSize: number,
  out: Float64Array,
  order?: Uint32Array,
): void {
  out.fill(0);
  const rowAt = (t: number) => (order === undefined ? t : (order[t] as number)) * headSize;
  let t = start;
  // Four rows per sum that is read and written.
  for (; t + 3 < end; t += 4) {
    const [a, b, c, e] = [rowAt(t), rowAt(t + 1), rowAt(t + 2), rowAt(t + 3)];
    for (let d = 0; d < headSize; d++) {
      out[d] =
        (out[d] as number) +
        ((values[a + d] as number) + (values[b + d] as number)) +
        ((values[c + d] as number) + (values[e + d] as number));
    }
  }
  for (; t < end; t++) {
    const offset = rowAt(t);
    for (let d = 0; d < headSize; d++) {
      out[d] = (out[d] as number) + (values[offset + d] as number);
    }
  }
  for (let d = 0; d < headSize; d++) out[d] = (out[d] as number) / (end - start);
}

/** Channel-wise bounds of the keys of every page, each [pages, headSize]. */
export interface PageBounds {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

/** Channel-wise minimum and maximum per page (Quest, 2024); the last page may be ragged. */
export function pageBounds(
  keys: Float32Array,
  tokens: number,
  headSize: number,
  pageTokens: number,
): PageBounds {
  const pages = Math.ceil(tokens / pageTokens);
  const min = new Float32Array(pages * headSize).fill(Infinity);
  const max = new Float32Array(pages * headSize).fill(-Infinity);
  for (let t = 0; t < tokens; t++) {
    const page = Math.floor(t / pageTokens) * headSize;
    const row = t * headSize;
    for (let d = 0; d < headSize; d++) {
      const x = keys[row + d] as number;
      if (x < (min[page + d] as number)) min[page + d] = x;
      if (x > (max[page + d] as number)) max[page + d] = x;
    }
  }
  return { min, max };
}

/** Which token of a chunk stands for it (HiP). */
export type Representative = 'first' | 'centre' | 'last';

/** Position of the representative token of [start, end). */
export function representativeToken(kind: Representative, start: number, end: number): number {
  if (kind === 'first') return start;
  if (kind === 'last') return end - 1;
  return Math.floor((start + end) / 2);
}
