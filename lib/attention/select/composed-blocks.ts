import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import type { RowProducts } from '../weights/types';
import { makeBlockReducer } from './block-reducer';
import { addBeside, addForced } from './composed-forced';
import { rowScores } from './composed-rows';
import { softmaxInPlace } from './dot';
import type { BlockGrid } from './grid';
import { collectBlocks, makeSelection, visibleBlocks } from './grid';
import { makeOverlapReducer } from './overlap-reducer';
import { addAtLeast, addTopK, addTopP } from './selectors';
import type { HeadTensors, Selection } from './types';

/** Selectors of whole blocks by one weight a block. */
export type BlockSelector = Extract<
  ComposedSelection['selector'],
  { type: 'top-k' | 'top-p' | 'threshold' }
>;

/** Adds the blocks that the selector chooses; weights[0 .. count) may be overwritten. */
function addChosen(
  selector: BlockSelector,
  of: ComposedSelection['reducer']['of'],
  keep: Uint8Array,
  weights: Float64Array,
  count: number,
): void {
  if (selector.type === 'top-k') {
    addTopK(keep, weights, count, selector.blocks);
    return;
  }
  if (of === 'scores') softmaxInPlace(weights, count);
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
 * Whole blocks by one weight each. Weights are scores, of which top-p and thresholds take the
 * softmax over the blocks that a query block sees, or probabilities, which they take as they are.
 * Forced blocks count towards k and p, those of the window do not.
 *
 * @param createProducts products of matrices, for the antidiagonals of large heads
 */
export function selectBlocks(
  head: HeadTensors,
  grid: BlockGrid,
  parts: ComposedSelection,
  selector: BlockSelector,
  createProducts: (() => RowProducts) | undefined,
): Selection {
  const { forced, reducer, scorer, summariser } = parts;
  const rows = rowScores(head, grid, parts, createProducts);
  const reduced =
    rows.overlap === undefined
      ? makeBlockReducer(grid.keyBlocks, rows.perBlock, reducer)
      : makeOverlapReducer(grid, rows.overlap, reducer);
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
  const isShared = scorer.type === 'window';
  if (isShared) fill(0);
  const kept = collectBlocks(grid, (i, keep) => {
    if (!isShared) fill(i);
    reduced.finish(weights);
    addForced(grid, keep, i, forced);
    addChosen(selector, reducer.of, keep, weights, visibleBlocks(grid, i));
    addBeside(grid, keep, i, forced);
  });
  const pattern = `${summariser.type}, ${scorer.type}`;
  return makeSelection(grid, kept, { pattern, selectionFlops });
}
