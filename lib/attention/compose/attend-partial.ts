import { checkOperands, checkPositive } from './checks';
import { emptyPartial } from './merge-partials';
import type { HeadOperands, MergedAttention } from './types';

export interface AttendOptions {
  /** Factor of a dot product; 1 / sqrt(headSize) by default. */
  readonly scale?: number;
  /** Divides scaled scores: below 1 the softmax is sharper. */
  readonly temperature?: number;
  /** Keys that a query sees, by index; all by default. */
  readonly isVisible?: (query: number, key: number) => boolean;
  /** Rewrites a score after scale and temperature, such as a soft cap or a key's log multiplicity. */
  readonly modify?: (score: number, query: number, key: number) => number;
}

/**
 * Attention of one head over the keys that it sees, in f64, with the log-sum-exp that merging needs:
 * softmax(modify(scale q k / temperature)) v.
 *
 * @returns output [queries, valueSize] and lse [queries]
 * @throws RangeError where a tensor has another length than its shape, or temperature is not above 0
 */
export function attendPartial(head: HeadOperands, options: AttendOptions = {}): MergedAttention {
  checkOperands(head);
  const { queries, keys, headSize, valueSize } = head;
  const { scale = 1 / Math.sqrt(headSize), temperature = 1, isVisible, modify } = options;
  checkPositive('temperature', temperature);
  const result = emptyPartial(queries, valueSize);
  const scores = new Float64Array(keys);
  for (let q = 0; q < queries; q++) {
    let maximum = -Infinity;
    for (let k = 0; k < keys; k++) {
      scores[k] = -Infinity;
      if (isVisible?.(q, k) === false) continue;
      let dot = 0;
      for (let d = 0; d < headSize; d++) {
        dot += head.query[q * headSize + d]! * head.key[k * headSize + d]!;
      }
      const score = (dot * scale) / temperature;
      scores[k] = modify === undefined ? score : modify(score, q, k);
      maximum = Math.max(maximum, scores[k]!);
    }
    if (maximum === -Infinity) continue;
    const out = result.output.subarray(q * valueSize, (q + 1) * valueSize);
    let sum = 0;
    for (let k = 0; k < keys; k++) {
      const weight = Math.exp(scores[k]! - maximum);
      if (weight === 0) continue;
      sum += weight;
      for (let d = 0; d < valueSize; d++) {
        out[d] = out[d]! + weight * head.value[k * valueSize + d]!;
      }
    }
    for (let d = 0; d < valueSize; d++) out[d] = out[d]! / sum;
    result.lse[q] = maximum + Math.log(sum);
  }
  return result;
}

/** cap tanh(score / cap): presses a score into (-cap, cap), and is nearly the score far inside. */
export function softCap(score: number, cap: number): number {
  return cap * Math.tanh(score / cap);
}
