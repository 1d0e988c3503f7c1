import { dot, softmax } from './choose';

/**
 * Softmax attention of each query over the rows, summed over the queries.
 *
 * @param queries rotated, [queries, headSize]
 * @param keys rotated, [count, headSize]
 */
export function attentionSum(
  queries: Float32Array,
  keys: Float32Array,
  count: number,
  headSize: number,
): Float64Array {
  const total = new Float64Array(count);
  const scores = new Float64Array(count);
  for (let from = 0; from < queries.length; from += headSize) {
    for (let row = 0; row < count; row++) {
      scores[row] = dot(queries, from, keys, row * headSize, headSize) / Math.sqrt(headSize);
    }
    softmax(scores);
    for (let row = 0; row < count; row++) total[row] = total[row]! + scores[row]!;
  }
  return total;
}
