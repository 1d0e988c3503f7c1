import { dot } from './dot';
import type { BlockGrid } from './grid';
import { endQuery, visibleEnd } from './grid';
import { meanPool } from './summaries';
import type { HeadTensors } from './types';

/** How one score of a key comes from the queries of a block: of their mean, or theirs joined. */
export type ProbeQueries = 'mean-query' | 'max' | 'mean';

/** Scores q.k of single keys, asked for one by one. */
export interface ProbeScores {
  /** -Infinity for a key that no query of the block sees; a mean query sees every key. */
  readonly score: (queryBlock: number, token: number) => number;
  /** Products computed so far. */
  readonly dots: () => number;
}

export function probeScores(
  head: HeadTensors,
  grid: BlockGrid,
  queries: ProbeQueries,
): ProbeScores {
  const { headSize, query, key } = head;
  let spent = 0;
  const dots = () => spent;
  if (queries === 'mean-query') {
    const means = meanPool(query, head.queries, headSize, grid.blockQueries);
    const score = (queryBlock: number, token: number) => {
      spent++;
      return dot(means, queryBlock * headSize, key, token * headSize, headSize);
    };
    return { score, dots };
  }
  const score = (queryBlock: number, token: number) => {
    let best = -Infinity;
    let sum = 0;
    let seeing = 0;
    for (let q = queryBlock * grid.blockQueries; q < endQuery(grid, queryBlock); q++) {
      if (token >= visibleEnd(head, q)) continue;
      const value = dot(query, q * headSize, key, token * headSize, headSize);
      best = Math.max(best, value);
      sum += value;
      seeing++;
    }
    spent += seeing;
    return queries === 'max' || seeing === 0 ? best : sum / seeing;
  };
  return { score, dots };
}
