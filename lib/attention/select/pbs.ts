import { checkDivides, checkHead, checkInteger, checkShare } from './checks';
import type { BlockGrid } from './grid';
import { collectBlocks, firstPosition, lastPosition, makeGrid, makeSelection } from './grid';
import { pooledProbabilities } from './pooled-scores';
import { addTopP } from './selectors';
import { meanPool } from './summaries';
import type { HeadTensors, Selection } from './types';
import { columnSums, windowScores } from './window-scores';

export interface PbsOptions {
  /** Side of query and key blocks. Default 128. */
  readonly blockTokens?: number;
  /** Keys permuted together, a multiple of blockTokens. Default 256. */
  readonly segmentTokens?: number;
  /** Share of the pooled attention to past segments that is kept, (0, 1]. Default 0.9. */
  readonly share?: number;
}

/**
 * Order of keys that sorts every complete segment by descending score, ties in place; keys of the
 * last, incomplete segment stay.
 *
 * @returns original key per slot, [keys]
 */
export function sortSegments(scores: Float64Array, segmentTokens: number): Uint32Array {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  for (let start = 0; start + segmentTokens <= scores.length; start += segmentTokens) {
    order
      .subarray(start, start + segmentTokens)
      .sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  }
  return order;
}

/** First and one past the last key block of the segments that hold the query block's positions. */
export function ownSegments(grid: BlockGrid, queryBlock: number, segmentTokens: number) {
  const perSegment = segmentTokens / grid.blockKeys;
  const first = Math.floor(Math.max(0, firstPosition(grid, queryBlock)) / segmentTokens);
  const last = Math.floor(Math.max(0, lastPosition(grid, queryBlock)) / segmentTokens);
  return [first * perSegment, Math.min(grid.keyBlocks, (last + 1) * perSegment)] as const;
}

/**
 * PBS-Attn (2025): keys (and with them values) are reordered inside complete segments by the mean
 * attention of the last query block, so that heavy keys share blocks; queries stay. Mean-pooled
 * blocks of past segments are then kept up to a share of their softmax; the query's own segment and
 * the block that now holds key 0 always stay. Attention itself does not depend on the order.
 *
 * @throws RangeError for a non-causal head: the method's segments rest on causality
 */
export function selectPbs(head: HeadTensors, options: PbsOptions = {}): Selection {
  const { blockTokens = 128, segmentTokens = 256, share = 0.9 } = options;
  checkHead(head);
  if (!head.causal) throw new RangeError('invalid causal: false (expected true)');
  const grid = makeGrid(head, blockTokens, blockTokens);
  checkInteger('segmentTokens', segmentTokens, 1, 2 ** 24);
  checkDivides('blockTokens', blockTokens, 'segmentTokens', segmentTokens);
  checkShare('share', share);

  const window = windowScores(head, blockTokens);
  const keyOrder = sortSegments(columnSums(head, window), segmentTokens);
  const keyMeans = meanPool(head.key, head.keys, head.headSize, blockTokens, keyOrder);
  const queryMeans = meanPool(head.query, head.queries, head.headSize, blockTokens);
  const firstKeyBlock = Math.floor(keyOrder.indexOf(0) / blockTokens);
  const weights = new Float64Array(grid.keyBlocks);
  let selectionFlops = window.flops;
  const rows = collectBlocks(
    grid,
    (i, keep) => {
      const [past, end] = ownSegments(grid, i, segmentTokens);
      selectionFlops += pooledProbabilities(queryMeans, i, keyMeans, past, head.headSize, weights);
      addTopP(keep, weights, past, share);
      keep[firstKeyBlock] = 1;
      keep.fill(1, past, end);
    },
    keyOrder,
  );
  return makeSelection(grid, rows, { pattern: 'permuted-block', selectionFlops, keyOrder });
}
