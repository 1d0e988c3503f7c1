import type { SessionFactory } from '../types';
import { attentionSum } from './attention-sum';
import { checkCount, checkShare, everyPositions, tokensIn, topIndices } from './choose';
import { retrievalSession } from './retrieval-session';

export interface LoopServeOptions {
  readonly share: number;
  /** Tokens between two choices, and queries that each choice looks at. */
  readonly interval?: number;
}

/**
 * LoopServe's progressive selection (Li et al., 2025): at every `interval`-th new token the whole
 * cache is scored again by the queries since the last time, and each head takes the tokens that they
 * attend to most. Nothing is lost between turns. Its choice of lines while a prompt is read is an
 * attention pattern, not a cache: here each token of a question chooses, by the last queries and its own.
 */
export function loopServeSession({ share, interval = 4 }: LoopServeOptions): SessionFactory {
  checkShare(share);
  checkCount('interval', interval);
  return retrievalSession({
    label: `LoopServe, every ${interval} tokens`,
    offload: false,
    moves: 'keys and values',
    open: (_, contextTokens) => ({
      indexHead({ rows, count, headSize }) {
        let recent: Float32Array[] = [];
        const budget = tokensIn(share, contextTokens);
        const stepped = everyPositions(interval, () => {
          const total = new Float64Array(count);
          for (const queries of recent) {
            attentionSum(queries, rows.rotated, count, headSize).forEach((score, row) => {
              total[row] = total[row]! + score;
            });
          }
          return topIndices(total, budget);
        });
        return {
          choose(query) {
            recent = [...recent, query.queries.slice()].slice(-interval);
            return stepped.choose(query);
          },
          buffers: [],
          reset() {
            recent = [];
            stepped.reset();
          },
        };
      },
    }),
  });
}
