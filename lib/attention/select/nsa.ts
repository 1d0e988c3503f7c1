import { checkHead, checkInteger } from './checks';
import type { BlockGrid } from './grid';
import {
  collectBlocks,
  endQuery,
  makeGrid,
  makeSelection,
  visibleBlocks,
  visibleEnd,
} from './grid';
import { pooledProbabilities } from './pooled-scores';
import { addRecent, addSinks, addTopK } from './selectors';
import { slidingMeans } from './summaries';
import type { HeadTensors, Selection } from './types';

export interface NsaOptions {
  /** Keys per compressed key, and the distance between two of them. */
  readonly compressTokens: number;
  readonly compressStride: number;
  /** Keys per selected block. */
  readonly blockTokens: number;
  /** Selected blocks per query block, forced ones among them. */
  readonly topBlocks: number;
  /** Blocks of the first and of the last keys forced into the selection; 0 for none. */
  readonly initialTokens: number;
  readonly localTokens: number;
  /** Blocks of the sliding-window branch, kept beside the selected ones; 0 for none. */
  readonly windowTokens: number;
  /** Queries that share one choice by their summed scores; NSA itself has 1. */
  readonly blockQueries: number;
}

/**
 * Adds the attention of one query to the compressed keys it sees whole, shared out to selection
 * blocks by overlap in units of the stride.
 */
function addBlockScores(
  grid: BlockGrid,
  probabilities: Float64Array,
  count: number,
  options: NsaOptions,
  scores: Float64Array,
): void {
  for (let c = 0; c < count; c++) {
    const start = c * options.compressStride;
    const end = start + options.compressTokens;
    const weight = (probabilities[c] as number) / options.compressStride;
    for (let j = Math.floor(start / grid.blockKeys); j * grid.blockKeys < end; j++) {
      const overlap = Math.min(end, (j + 1) * grid.blockKeys) - Math.max(start, j * grid.blockKeys);
      scores[j] = (scores[j] as number) + weight * overlap;
    }
  }
}

/**
 * The selection branch of NSA (2025) with its window, for a model that was not trained for it: mean
 * keys stand in for the learned compressor, and the gates that mix the three branches are left out.
 * Attention to compressed keys ranks the blocks; the window is rounded out to blocks.
 */
export function selectNsa(head: HeadTensors, options: NsaOptions): Selection {
  const { compressTokens, compressStride, blockTokens, topBlocks, blockQueries } = options;
  const { queries, keys, headSize } = head;
  checkHead(head);
  checkInteger('compressTokens', compressTokens, 1, 65_536);
  checkInteger('compressStride', compressStride, 1, compressTokens);
  checkInteger('topBlocks', topBlocks, 1, 2 ** 24);
  for (const name of ['initialTokens', 'localTokens', 'windowTokens'] as const)
    checkInteger(name, options[name], 0, 2 ** 24);
  const grid = makeGrid(head, blockQueries, blockTokens);
  const compressed = slidingMeans(head.key, keys, headSize, compressTokens, compressStride);
  const total = compressed.length / headSize;
  const probabilities = new Float64Array(total);
  const scores = new Float64Array(grid.keyBlocks);
  let selectionFlops = 0;
  const rows = collectBlocks(grid, (i, keep) => {
    scores.fill(0);
    for (let q = i * blockQueries; q < endQuery(grid, i) && q < queries; q++) {
      const whole = Math.floor((visibleEnd(head, q) - compressTokens) / compressStride) + 1;
      const count = Math.min(total, Math.max(0, whole));
      selectionFlops += pooledProbabilities(
        head.query,
        q,
        compressed,
        count,
        headSize,
        probabilities,
      );
      addBlockScores(grid, probabilities, count, options, scores);
    }
    addSinks(grid, keep, options.initialTokens);
    addRecent(grid, keep, i, options.localTokens);
    addTopK(keep, scores, visibleBlocks(grid, i), topBlocks);
    addRecent(grid, keep, i, options.windowTokens);
  });
  return makeSelection(grid, rows, { pattern: 'compressed-block', selectionFlops });
}
