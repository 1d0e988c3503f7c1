import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import type { RowProducts } from '../weights/types';
import { antidiagonalScores, chooseTileProducts, reverseGroups } from './antidiagonal-scores';
import type { BlockGrid } from './grid';
import { endQuery, visibleEnd } from './grid';
import type { OverlappingParts } from './overlap-reducer';
import { meanPool } from './summaries';
import { summaryScores } from './summary-scores';
import type { HeadTensors } from './types';

/** Rows of scores that decide over one query block. */
export interface RowScores {
  readonly perBlock: number;
  /** Where scores are of parts that cross blocks. */
  readonly overlap?: OverlappingParts | undefined;
  /** Rows [first, end) of a query block. */
  readonly rowsOf: (queryBlock: number) => readonly [first: number, end: number];
  /** Scores of a row into out; their number and what they cost. */
  readonly score: (
    row: number,
    out: Float64Array,
  ) => { readonly count: number; readonly flops: number };
}

/**
 * What the scorer of the parts compares with what their summariser made of the keys.
 *
 * @param createProducts products of matrices, for the antidiagonals of large heads
 */
export function rowScores(
  head: HeadTensors,
  grid: BlockGrid,
  parts: ComposedSelection,
  createProducts: (() => RowProducts) | undefined,
): RowScores {
  const { scorer } = parts;
  const { queries, headSize } = head;
  if (scorer.type === 'antidiagonal') {
    const { stride } = scorer;
    const reversed = reverseGroups(head, stride);
    const products = chooseTileProducts(head, reversed, grid.blockQueries, createProducts);
    return {
      perBlock: grid.blockKeys / stride,
      rowsOf: (i) => [(i * grid.blockQueries) / stride, Math.ceil(endQuery(grid, i) / stride)],
      score: (row, out) => {
        const count = antidiagonalScores(head, reversed, 1, row, out, products);
        return { count, flops: 2 * headSize * stride * count };
      },
    };
  }
  const isMean = scorer.type === 'mean-query';
  const rows = isMean ? meanPool(head.query, queries, headSize, grid.blockQueries) : head.query;
  const summaries = summaryScores(head, grid, parts.summariser, rows);
  const firstOfWindow =
    scorer.type === 'window' ? Math.max(0, queries - scorer.windowQueries) : undefined;
  return {
    perBlock: summaries.perBlock,
    overlap: summaries.overlap,
    rowsOf: (i) => {
      if (firstOfWindow !== undefined) return [firstOfWindow, queries];
      return isMean ? [i, i + 1] : [i * grid.blockQueries, endQuery(grid, i)];
    },
    score: (row, out) => {
      const query = isMean ? endQuery(grid, row) - 1 : row;
      const count = summaries.score(row, visibleEnd(head, query), out);
      return { count, flops: count * summaries.flopsPerScore + summaries.flopsPerRow };
    },
  };
}
