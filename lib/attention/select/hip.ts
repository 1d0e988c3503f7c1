import { checkHead, checkInteger } from './checks';
import { dot } from './dot';
import {
  collectBlocks,
  endQuery,
  makeGrid,
  makeSelection,
  visibleBlocks,
  visibleEnd,
} from './grid';
import { addRecent, addSinks } from './selectors';
import type { Representative } from './summaries';
import { meanPool, representativeToken } from './summaries';
import { treeSearch } from './tree-search';
import type { HeadTensors, Selection } from './types';

export interface HipOptions {
  /** Default 32. */
  readonly blockQueries?: number;
  /** Default 2. */
  readonly blockKeys?: number;
  /** Tokens found by the search per query block. Default 512. */
  readonly keptTokens?: number;
  /** Blocks of the last keys, kept beside those found. Default 128. */
  readonly windowTokens?: number;
  /** Blocks of the first keys, kept beside those found; 0 for none. */
  readonly sinkTokens: number;
  /** Token that stands for a chunk: the paper's centre, or the first. */
  readonly representative: Representative;
  /** A chunk's score for a query block: the largest over its queries, or that of their mean, cheaper by blockQueries. */
  readonly queryReduce: 'max' | 'mean';
}

/**
 * Hierarchical pruning (HiP, 2024): a tree search per query block for its best key blocks, each
 * chunk scored by one representative token, O(log keys) rounds. Rests on attention being local: a
 * lone key far from its chunk's representative is lost.
 */
export function selectHip(head: HeadTensors, options: HipOptions): Selection {
  const { blockQueries = 32, blockKeys = 2, keptTokens = 512, windowTokens = 128 } = options;
  const { sinkTokens, representative, queryReduce } = options;
  const { headSize } = head;
  checkHead(head);
  const grid = makeGrid(head, blockQueries, blockKeys);
  checkInteger('keptTokens', keptTokens, blockKeys, 2 ** 24);
  checkInteger('windowTokens', windowTokens, 0, 2 ** 24);
  checkInteger('sinkTokens', sinkTokens, 0, 2 ** 24);
  const queryMeans = meanPool(head.query, head.queries, headSize, blockQueries);
  let dots = 0;

  const rows = collectBlocks(grid, (i, keep) => {
    const end = endQuery(grid, i);
    const lastVisible = visibleEnd(head, end - 1);
    const meanScore = (token: number) => {
      dots++;
      return dot(queryMeans, i * headSize, head.key, token * headSize, headSize);
    };
    const maxScore = (token: number) => {
      let best = -Infinity;
      for (let q = i * blockQueries; q < end; q++) {
        if (token >= visibleEnd(head, q)) continue;
        best = Math.max(best, dot(head.query, q * headSize, head.key, token * headSize, headSize));
        dots++;
      }
      return best;
    };
    const { leaves } = treeSearch(
      visibleBlocks(grid, i),
      Math.floor(keptTokens / blockKeys),
      (start, stop) =>
        representativeToken(
          representative,
          start * blockKeys,
          Math.min(stop * blockKeys, lastVisible),
        ),
      queryReduce === 'mean' ? meanScore : maxScore,
    );
    for (const leaf of leaves) keep[leaf] = 1;
    addSinks(grid, keep, sinkTokens);
    addRecent(grid, keep, i, windowTokens);
  });
  return makeSelection(grid, rows, { pattern: 'tree', selectionFlops: 2 * headSize * dots });
}
