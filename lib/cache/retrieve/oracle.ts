import type { SessionFactory } from '../types';
import { checkShare, dot, softmax, topIndices } from './choose';
import { retrievalSession } from './retrieval-session';

/**
 * The tokens that a query attends to most, found by looking at all of them: what any selector could
 * reach at best, and no way to save anything. The queries of a KV head choose together, by the sum of
 * their attention.
 *
 * @param share of the context, at least one token
 */
export function oracleSession({ share }: { readonly share: number }): SessionFactory {
  checkShare(share);
  return retrievalSession({
    label: 'oracle top-k',
    offload: false,
    moves: 'keys and values',
    open: (_, contextTokens) => ({
      indexHead: ({ rows, count, headSize }) => ({
        choose: ({ queries }) =>
          topIndices(
            attentionSum(queries, rows.rotated, count, headSize),
            Math.max(1, Math.floor(share * contextTokens)),
          ),
        buffers: [],
      }),
    }),
  });
}

/** Softmax attention of each query over the rows, summed over the queries. */
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
