import type { Rope } from '../../attention/position/rope-frequencies';
import type { HeadSlots } from '../slots/types';
import type { WindowQueries } from './actions';

export interface ExpectedAttentionOptions {
  /** Next positions that the queries are averaged over. */
  readonly futureTokens: number;
  readonly useCovariance: boolean;
  readonly valueNorm: boolean;
  /** First tokens of the text, which models attend to whatever they hold. */
  readonly sinkTokens: number;
}

/**
 * Expected Attention: queries of the next positions are taken as Gaussian, with the mean and
 * covariance of the prompt's queries before RoPE, under the average rotation of those positions. A
 * key's expected weight is exp(m k / sqrt(d) + k' S k / 2d), normalised over the slots, times |v|.
 * Sinks are left out of the statistics and of the normalisation and score as the best of the others, as
 * in NVIDIA kvpress: their outlying queries and weights would hide the rest.
 *
 * @param nextIndex RoPE index of the next query
 * @returns one row of scores a query head, [group][slots]
 */
export function expectedAttention(
  queries: WindowQueries,
  head: HeadSlots,
  rope: Rope,
  nextIndex: number,
  { futureTokens, useCovariance, valueNorm, sinkTokens }: ExpectedAttentionOptions,
): Float32Array[] {
  const { headSize } = rope;
  const keys = head.rotatedKeys();
  const values = head.values();
  const turn = meanRotation(rope, nextIndex, futureTokens);
  const sampled = withoutSinks(queries, sinkTokens, headSize);
  // A text of sinks alone has nothing that could be better than they are.
  const hasOthers = head.positions.some((position) => position >= sinkTokens);
  const isSink = (slot: number) => hasOthers && head.positions[slot]! < sinkTokens;
  return Array.from({ length: queries.group }, (_, member) => {
    const { mean, covariance } = moments(sampled, member, headSize);
    const turnedMean = turn(mean);
    // R S R': rotate every row, then every column.
    const rows = rowsOf(covariance, headSize).map(turn);
    const turned = rowsOf(transposed(rows.flatMap((row) => [...row])), headSize).map(turn);
    const scores = new Float32Array(head.count);
    let largest = -Infinity;
    const key = new Float64Array(headSize);
    for (let slot = 0; slot < head.count; slot++) {
      for (let d = 0; d < headSize; d++) key[d] = keys[slot * headSize + d]!;
      let score = dot(turnedMean, key) / Math.sqrt(headSize);
      if (useCovariance) {
        let quadratic = 0;
        for (let d = 0; d < headSize; d++) quadratic += key[d]! * dot(turned[d]!, key);
        score += quadratic / (2 * headSize);
      }
      score += Math.log(head.multiplicity[slot]!);
      scores[slot] = score;
      if (!isSink(slot)) largest = Math.max(largest, score);
    }
    let total = 0;
    for (let slot = 0; slot < head.count; slot++) {
      scores[slot] = isSink(slot) ? 0 : Math.exp(scores[slot]! - largest);
      total += scores[slot]!;
    }
    let best = 0;
    const expected = scores.map((weight, slot) => {
      const one = (weight / total) * (valueNorm ? normOf(values, slot, headSize) : 1);
      best = Math.max(best, one);
      return one;
    });
    return expected.map((one, slot) => (isSink(slot) ? best : one));

    function transposed(flat: readonly number[]): Float64Array {
      return Float64Array.from(
        flat,
        (_, i) => flat[(i % headSize) * headSize + Math.floor(i / headSize)]!,
      );
    }
  });
}

/** The queries behind the sinks; all of them where there are no others. */
function withoutSinks(queries: WindowQueries, sinkTokens: number, headSize: number): WindowQueries {
  const first = queries.positions.findIndex((position) => position >= sinkTokens);
  if (first <= 0) return queries;
  return {
    ...queries,
    rows: queries.rows - first,
    data: queries.data.subarray(first * queries.group * headSize),
    positions: queries.positions.subarray(first),
  };
}

function normOf(rows: Float32Array, row: number, width: number): number {
  let squares = 0;
  for (let d = 0; d < width; d++) squares += rows[row * width + d]! ** 2;
  return Math.sqrt(squares);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function rowsOf(matrix: Float64Array, size: number): Float64Array[] {
  return Array.from({ length: size }, (_, row) => matrix.subarray(row * size, (row + 1) * size));
}

/** The mean of the rotations by the next indices, as a map of vectors. */
function meanRotation(rope: Rope, start: number, count: number) {
  const half = rope.headSize / 2;
  const cosines = new Float64Array(half);
  const sines = new Float64Array(half);
  for (let pair = 0; pair < half; pair++) {
    for (let i = 0; i < count; i++) {
      const angle = (start + i) * rope.frequencies[pair]!;
      cosines[pair] = cosines[pair]! + (rope.attentionFactor * Math.cos(angle)) / count;
      sines[pair] = sines[pair]! + (rope.attentionFactor * Math.sin(angle)) / count;
    }
  }
  return (vector: Float64Array): Float64Array => {
    const out = new Float64Array(vector.length);
    for (let pair = 0; pair < half; pair++) {
      const x = vector[pair]!;
      const y = vector[pair + half]!;
      out[pair] = x * cosines[pair]! - y * sines[pair]!;
      out[pair + half] = x * sines[pair]! + y * cosines[pair]!;
    }
    return out;
  };
}

function moments({ rows, group, data }: WindowQueries, member: number, headSize: number) {
  const mean = new Float64Array(headSize);
  const covariance = new Float64Array(headSize * headSize);
  const stride = group * headSize;
  for (let row = 0; row < rows; row++) {
    const start = row * stride + member * headSize;
    for (let d = 0; d < headSize; d++) mean[d] = mean[d]! + data[start + d]! / rows;
  }
  const centred = new Float64Array(headSize);
  for (let row = 0; row < rows; row++) {
    const start = row * stride + member * headSize;
    for (let d = 0; d < headSize; d++) centred[d] = data[start + d]! - mean[d]!;
    for (let i = 0; i < headSize; i++) {
      const x = centred[i]! / rows;
      for (let j = 0; j < headSize; j++) {
        covariance[i * headSize + j] = covariance[i * headSize + j]! + x * centred[j]!;
      }
    }
  }
  return { mean, covariance };
}
