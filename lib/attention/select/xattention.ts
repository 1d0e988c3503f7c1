import type { RowProducts } from '../weights/types';
import { antidiagonalMass, chooseTileProducts, reverseGroups } from './antidiagonal-scores';
import { checkDivides, checkHead, checkInteger, checkShare } from './checks';
import { collectBlocks, makeGrid, makeSelection, visibleBlocks } from './grid';
import { addRecent, addSinks, addTopP } from './selectors';
import type { HeadTensors, Selection } from './types';

export interface XAttentionOptions {
  readonly blockTokens: number;
  /** Side of the tiles whose antidiagonals are summed, a divisor of blockTokens. */
  readonly stride: number;
  /** Share of the estimated mass that is kept, (0, 1]. */
  readonly share: number;
  /** Divisor of the scores beside sqrt(headSize) and stride. Default 1. */
  readonly norm?: number;
}

/**
 * XAttention (2025): antidiagonal sums of stride x stride tiles cross every column and every
 * diagonal, at 1/stride of the cost of the scores; their softmax, summed by block, is kept up to a
 * share per query block. In a causal head the first block and the diagonal are forced, and count.
 *
 * @param createProducts products of matrices for large heads, in f32; default: dot products in f64
 */
export function selectXAttention(
  head: HeadTensors,
  options: XAttentionOptions,
  createProducts?: () => RowProducts,
): Selection {
  const { blockTokens, stride, share, norm = 1 } = options;
  checkHead(head);
  const grid = makeGrid(head, blockTokens, blockTokens);
  checkInteger('stride', stride, 1, blockTokens);
  checkDivides('stride', stride, 'blockTokens', blockTokens);
  checkShare('share', share);
  if (!(norm > 0)) throw new RangeError(`invalid norm: ${norm} (expected above 0)`);
  const reversed = reverseGroups(head, stride);
  const tiles = chooseTileProducts(head, reversed, blockTokens, createProducts);
  const mass = new Float64Array(grid.keyBlocks);
  let selectionFlops = 0;
  const rows = collectBlocks(grid, (i, keep) => {
    selectionFlops += antidiagonalMass(head, grid, reversed, norm, i, mass, tiles);
    if (head.causal) {
      addSinks(grid, keep, 1);
      addRecent(grid, keep, i, 1);
    }
    addTopP(keep, mass, visibleBlocks(grid, i), share);
  });
  return makeSelection(grid, rows, { pattern: 'antidiagonal', selectionFlops });
}
