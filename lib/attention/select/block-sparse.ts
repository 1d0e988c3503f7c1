import { checkHead, checkInteger } from './checks';
import { collectBlocks, makeGrid, makeSelection, visibleBlocks } from './grid';
import { pooledScores } from './pooled-scores';
import { addTopK } from './selectors';
import { meanPool } from './summaries';
import type { HeadTensors, Selection } from './types';

export interface BlockSparseOptions {
  /** Default 64. */
  readonly blockQueries?: number;
  /** Default 64. */
  readonly blockKeys?: number;
  /** Key blocks kept per query block. Default 100. */
  readonly topBlocks?: number;
}

/**
 * MInference's block-sparse (2024): mean-pooled queries against mean-pooled keys, the best key
 * blocks per query block, nothing forced. Softmax keeps the order, so scores are ranked as they
 * are. Defaults are those of the authors' code.
 */
export function selectBlockSparse(head: HeadTensors, options: BlockSparseOptions = {}): Selection {
  const { blockQueries = 64, blockKeys = 64, topBlocks = 100 } = options;
  checkHead(head);
  checkInteger('topBlocks', topBlocks, 1, 2 ** 24);
  const grid = makeGrid(head, blockQueries, blockKeys);
  const queryMeans = meanPool(head.query, head.queries, head.headSize, blockQueries);
  const keyMeans = meanPool(head.key, head.keys, head.headSize, blockKeys);
  const scores = new Float64Array(grid.keyBlocks);
  let selectionFlops = 0;
  const rows = collectBlocks(grid, (i, keep) => {
    const count = visibleBlocks(grid, i);
    selectionFlops += pooledScores(queryMeans, i, keyMeans, count, head.headSize, scores);
    addTopK(keep, scores, count, topBlocks);
  });
  return makeSelection(grid, rows, { pattern: 'block', selectionFlops });
}
