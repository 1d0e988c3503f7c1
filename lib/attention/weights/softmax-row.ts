import { visitScores } from '../map';
import type { AttentionInputs } from '../types';

/** Scores of one row as they were read, and their log-sum-exp, which is kept per row. */
export interface SoftmaxRows {
  /** Fills `scores` in [keyStart, keyEnd), NaN where masked; returns the whole row's log-sum-exp. */
  readonly read: (
    batch: number,
    head: number,
    query: number,
    keyStart: number,
    keyEnd: number,
    scores: Float64Array,
  ) => number;
}

/** Rows of an attention call: the first look at a row reads all of it, later ones only what they ask for. */
export function softmaxRows(inputs: AttentionInputs): SoftmaxRows {
  const { batch: batches, queryHeads, queries, keys } = inputs.shape;
  const known = new Float64Array(batches * queryHeads * queries).fill(Number.NaN);
  return {
    read(batch, head, query, keyStart, keyEnd, scores) {
      const row = (batch * queryHeads + head) * queries + query;
      const isKnown = !Number.isNaN(known[row]);
      const [start, end] = isKnown ? [keyStart, keyEnd] : [0, keys];
      scores.fill(Number.NaN, start, end);
      visitScores(inputs, batch, head, query, start, end, (k, score) => {
        scores[k] = score;
      });
      if (!isKnown) known[row] = logSumExp(scores.subarray(0, keys));
      return known[row] as number;
    },
  };
}

/** Natural log of the sum of exponentials, NaN left out; -Infinity where there is nothing. */
function logSumExp(scores: Float64Array): number {
  let maximum = -Infinity;
  // No comparison lets NaN through.
  for (const score of scores) if (score > maximum) maximum = score;
  if (maximum === -Infinity) return -Infinity;
  let sum = 0;
  for (const score of scores) if (!Number.isNaN(score)) sum += Math.exp(score - maximum);
  return maximum + Math.log(sum);
}
