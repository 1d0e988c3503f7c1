import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { addBeside, addForced } from './composed-forced';
import type { BlockGrid } from './grid';
import { collectBlocks, endQuery, makeSelection, visibleBlocks, visibleEnd } from './grid';
import { probeScores } from './probe-scores';
import { representativeToken } from './summaries';
import { treeSearch } from './tree-search';
import type { HeadTensors, Selection } from './types';

/**
 * Whole blocks by a search down a tree of them, as HiP (2024): a node is scored by the key that
 * stands for it, and only what the best are split into is scored next. Forced blocks are kept beside
 * those found.
 */
export function selectTree(
  head: HeadTensors,
  grid: BlockGrid,
  { summariser, scorer, reducer, forced }: ComposedSelection,
  selector: Extract<ComposedSelection['selector'], { type: 'tree' }>,
): Selection {
  if (summariser.type !== 'representative') {
    throw new RangeError(`invalid summariser.type: ${summariser.type} (expected representative)`);
  }
  const { token } = summariser;
  const isMax = reducer.queries === 'max';
  const queries = scorer.type === 'mean-query' ? 'mean-query' : isMax ? 'max' : 'mean';
  const { score, dots } = probeScores(head, grid, queries);
  const { blockKeys } = grid;
  const rows = collectBlocks(grid, (i, keep) => {
    // Of the part that is seen: a later key must not decide.
    const seen = visibleEnd(head, endQuery(grid, i) - 1);
    const { leaves } = treeSearch(
      visibleBlocks(grid, i),
      selector.blocks,
      (start, end) =>
        representativeToken(token, start * blockKeys, Math.min(end * blockKeys, seen)),
      (probe) => score(i, probe),
      selector.branch,
    );
    for (const leaf of leaves) keep[leaf] = 1;
    addForced(grid, keep, i, forced);
    addBeside(grid, keep, i, forced);
  });
  const pattern = `representative, ${scorer.type}, tree`;
  return makeSelection(grid, rows, { pattern, selectionFlops: 2 * head.headSize * dots() });
}
