import { checkHead, checkInteger } from './checks';
import { collectBlocks, makeGrid, makeSelection, visibleBlocks } from './grid';
import { pooledScores } from './pooled-scores';
import { addRecent, addTopK } from './selectors';
import { meanPool } from './summaries';
import type { HeadTensors, Selection } from './types';

export interface MobaOptions {
  /** Keys per block. */
  readonly blockTokens: number;
  /** Key blocks per query block, the query's own among them. */
  readonly topBlocks: number;
  /** Queries that share one choice by their mean; MoBA itself has 1, a router per query. */
  readonly blockQueries: number;
}

/**
 * MoBA (2025) as a router without training: blocks ranked by the query's product with their mean
 * key; the query's own block is always chosen. It stays chosen where there are more own blocks than
 * `topBlocks`.
 */
export function selectMoba(head: HeadTensors, options: MobaOptions): Selection {
  const { blockTokens, topBlocks, blockQueries } = options;
  checkHead(head);
  checkInteger('topBlocks', topBlocks, 1, 2 ** 24);
  const grid = makeGrid(head, blockQueries, blockTokens);
  const queryMeans = meanPool(head.query, head.queries, head.headSize, blockQueries);
  const keyMeans = meanPool(head.key, head.keys, head.headSize, blockTokens);
  const scores = new Float64Array(grid.keyBlocks);
  let selectionFlops = 0;
  const rows = collectBlocks(grid, (i, keep) => {
    const count = visibleBlocks(grid, i);
    selectionFlops += pooledScores(queryMeans, i, keyMeans, count, head.headSize, scores);
    addRecent(grid, keep, i, 1);
    addTopK(keep, scores, count, topBlocks);
  });
  return makeSelection(grid, rows, { pattern: 'block', selectionFlops });
}
