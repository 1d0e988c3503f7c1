import { dot, softmaxInPlace } from './dot';

/**
 * Scores of one pooled query against pooled keys, q.k / sqrt(headSize), into out[0 .. count).
 *
 * @param queryMeans [*, headSize]; row `queryRow` is read
 * @param keyMeans [at least count, headSize]
 * @returns flops
 */
export function pooledScores(
  queryMeans: Float32Array,
  queryRow: number,
  keyMeans: Float32Array,
  count: number,
  headSize: number,
  out: Float64Array,
): number {
  const scale = 1 / Math.sqrt(headSize);
  for (let j = 0; j < count; j++) {
    out[j] = dot(queryMeans, queryRow * headSize, keyMeans, j * headSize, headSize) * scale;
  }
  return 2 * headSize * count;
}

/** `pooledScores` after softmax over the same keys: an estimate of the share of every block. */
export function pooledProbabilities(
  queryMeans: Float32Array,
  queryRow: number,
  keyMeans: Float32Array,
  count: number,
  headSize: number,
  out: Float64Array,
): number {
  const flops = pooledScores(queryMeans, queryRow, keyMeans, count, headSize, out);
  softmaxInPlace(out, count);
  return flops;
}

/**
 * Square root of the Jensen-Shannon divergence of two distributions, natural logarithm:
 * 0 for equal ones, sqrt(ln 2) for disjoint ones.
 */
export function jensenShannonDistance(p: Float64Array, q: Float64Array): number {
  let divergence = 0;
  for (let i = 0; i < p.length; i++) {
    const a = p[i] as number;
    const b = q[i] as number;
    const middle = (a + b) / 2;
    if (a > 0) divergence += 0.5 * a * Math.log(a / middle);
    if (b > 0) divergence += 0.5 * b * Math.log(b / middle);
  }
  return Math.sqrt(Math.max(0, divergence));
}
