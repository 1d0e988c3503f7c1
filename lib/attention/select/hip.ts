import { checkHead, checkInteger } from './checks';
import {
  collectBlocks,
  endQuery,
  makeGrid,
  makeSelection,
  visibleBlocks,
  visibleEnd,
} from './grid';
import { probeScores } from './probe-scores';
import { addRecent, addSinks } from './selectors';
import type { Representative } from './summaries';
import { representativeToken } from './summaries';
import { treeSearch } from './tree-search';
import type { HeadTensors, Selection } from './types';

/** Keys per leaf of the authors' code. */
export const HIP_BLOCK_KEYS = 2;

export interface HipOptions {
  /** Default 32. */
  readonly blockQueries?: number;
  /** Default `HIP_BLOCK_KEYS`. */
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
  const {
    blockQueries = 32,
    blockKeys = HIP_BLOCK_KEYS,
    keptTokens = 512,
    windowTokens = 128,
  } = options;
  const { sinkTokens, representative, queryReduce } = options;
  const { headSize } = head;
  checkHead(head);
  const grid = makeGrid(head, blockQueries, blockKeys);
  checkInteger('keptTokens', keptTokens, blockKeys, 2 ** 24);
  checkInteger('windowTokens', windowTokens, 0, 2 ** 24);
  checkInteger('sinkTokens', sinkTokens, 0, 2 ** 24);
  const { score, dots } = probeScores(
    head,
    grid,
    queryReduce === 'mean' ? 'mean-query' : queryReduce,
  );

  const rows = collectBlocks(grid, (i, keep) => {
    const lastVisible = visibleEnd(head, endQuery(grid, i) - 1);
    const { leaves } = treeSearch(
      visibleBlocks(grid, i),
      Math.floor(keptTokens / blockKeys),
      (start, stop) =>
        representativeToken(
          representative,
          start * blockKeys,
          Math.min(stop * blockKeys, lastVisible),
        ),
      (token) => score(i, token),
    );
    for (const leaf of leaves) keep[leaf] = 1;
    addSinks(grid, keep, sinkTokens);
    addRecent(grid, keep, i, windowTokens);
  });
  return makeSelection(grid, rows, { pattern: 'tree', selectionFlops: 2 * headSize * dots() });
}
