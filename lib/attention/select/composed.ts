import { type ComposedSelection, partsIssues } from '../../spec/kinds/selection-parts';
import type { RowProducts } from '../weights/types';
import { antidiagonalScores, chooseTileProducts, reverseGroups } from './antidiagonal-scores';
import { makeBlockReducer } from './block-reducer';
import { checkHead } from './checks';
import { softmaxInPlace } from './dot';
import type { BlockGrid } from './grid';
import {
  collectBlocks,
  endQuery,
  makeGrid,
  makeSelection,
  visibleBlocks,
  visibleEnd,
} from './grid';
import { addAtLeast, addRecent, addSinks, addTopK, addTopP } from './selectors';
import { meanPool } from './summaries';
import { summaryScores } from './summary-scores';
import type { HeadTensors, Selection } from './types';

/** Rows of scores that decide over one query block. */
interface RowScores {
  readonly perBlock: number;
  /** Rows [first, end) of a query block. */
  readonly rowsOf: (queryBlock: number) => readonly [first: number, end: number];
  /** Scores of a row into out; their number and what they cost. */
  readonly score: (
    row: number,
    out: Float64Array,
  ) => { readonly count: number; readonly flops: number };
}

function rowScores(
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

/** Adds the blocks that the selector chooses; weights[0 .. count) may be overwritten. */
function addChosen(
  { selector, reducer }: ComposedSelection,
  keep: Uint8Array,
  weights: Float64Array,
  count: number,
): void {
  if (selector.type === 'top-k') {
    addTopK(keep, weights, count, selector.blocks);
    return;
  }
  if (reducer.of === 'scores') softmaxInPlace(weights, count);
  if (selector.type === 'top-p') {
    addTopP(keep, weights, count, selector.share);
    return;
  }
  let maximum = 0;
  let sum = 0;
  for (let j = 0; j < count; j++) {
    maximum = Math.max(maximum, weights[j] as number);
    sum += weights[j] as number;
  }
  const whole = selector.of === 'maximum' ? maximum : sum;
  addAtLeast(keep, weights, count, selector.share * whole);
}

/**
 * A selection of whole blocks from its parts. Weights of blocks are scores, of which top-p and
 * thresholds take the softmax over the blocks that a query block sees, or probabilities, which they
 * take as they are. Forced blocks count towards k and p.
 *
 * @param createProducts products of matrices, for the antidiagonals of large heads
 * @throws RangeError where the parts do not go together, see `partsIssues`
 */
export function selectComposed(
  head: HeadTensors,
  parts: ComposedSelection,
  createProducts?: () => RowProducts,
): Selection {
  checkHead(head);
  const [issue] = partsIssues(parts);
  if (issue !== undefined) {
    throw new RangeError(`invalid ${issue.path.join('.')} (${issue.message})`);
  }
  const grid = makeGrid(head, parts.queryBlockTokens, parts.blockTokens);
  const rows = rowScores(head, grid, parts, createProducts);
  const reduced = makeBlockReducer(grid.keyBlocks, rows.perBlock, parts.reducer);
  const scores = new Float64Array(Math.ceil(rows.perBlock * grid.keyBlocks));
  const weights = new Float64Array(grid.keyBlocks);
  let selectionFlops = 0;
  const fill = (queryBlock: number) => {
    const [first, end] = rows.rowsOf(queryBlock);
    reduced.clear();
    for (let row = first; row < end; row++) {
      const { count, flops } = rows.score(row, scores);
      selectionFlops += flops;
      reduced.add(scores, count);
    }
  };
  // One window serves every query block.
  const isShared = parts.scorer.type === 'window';
  if (isShared) fill(0);
  const { sinkTokens, recentTokens } = parts.forced;
  const kept = collectBlocks(grid, (i, keep) => {
    if (!isShared) fill(i);
    reduced.finish(weights);
    addSinks(grid, keep, sinkTokens);
    addRecent(grid, keep, i, recentTokens);
    addChosen(parts, keep, weights, visibleBlocks(grid, i));
  });
  const pattern = `${parts.summariser.type}, ${parts.scorer.type}`;
  return makeSelection(grid, kept, { pattern, selectionFlops });
}
