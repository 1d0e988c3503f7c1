import type { AttentionInputs } from '../types';
import { softmaxRows } from './softmax-row';
import type { WeightMatrices } from './types';

/**
 * Probabilities of an attention call, exp(score - lse), as a matrix that reductions prepare rows of.
 *
 * @param lse [batch, queryHeads, queries], as its run left them
 */
export function attentionWeights(inputs: AttentionInputs, lse: ArrayLike<number>): WeightMatrices {
  const { queries, keys } = inputs.shape;
  const rows = softmaxRows(inputs, lse);
  return (batch, head) => ({
    queries,
    keys,
    isSigned: false,
    extent: rows.extent,
    prepareRows(start, end, products) {
      rows.prepare(batch, head, start, end, products);
    },
    fillRow(query, keyStart, keyEnd, out) {
      out.fill(Number.NaN, keyStart, keyEnd);
      rows.read(batch, head, query, keyStart, keyEnd, out);
    },
  });
}
