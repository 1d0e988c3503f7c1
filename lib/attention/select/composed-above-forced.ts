import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { addBeside, addForced } from './composed-forced';
import type { BlockGrid } from './grid';
import { collectBlocks, endQuery, makeSelection, visibleEnd } from './grid';
import { keptLogSum } from './kept-log-sum';
import { addAbove } from './selectors';
import { summaryScores } from './summary-scores';
import type { HeadTensors, Selection } from './types';

/**
 * Whole blocks that hold a score above a share of what its query gives to all its forced keys, as
 * SALE (2025): forced keys are scored exactly and give every query a cut, log(share) above the log
 * of their sum; the summaries of the other blocks are held against it. Bounds in place of codes make
 * the test exact: no key above its cut is lost.
 */
export function selectAboveForced(
  head: HeadTensors,
  grid: BlockGrid,
  { summariser, scorer, forced }: ComposedSelection,
  share: number,
): Selection {
  const { headSize, keys, query } = head;
  const { blockKeys, keyBlocks } = grid;
  const summaries = summaryScores(head, grid, summariser, query);
  const scores = new Float64Array(Math.max(keys, Math.ceil(summaries.perBlock * keyBlocks)));
  const excess = new Float64Array(keyBlocks);
  let selectionFlops = 0;
  const kept = collectBlocks(grid, (i, keep) => {
    addForced(grid, keep, i, forced);
    excess.fill(-Infinity);
    for (let q = i * grid.blockQueries; q < endQuery(grid, i); q++) {
      const { logSum, pairs } = keptLogSum(head, grid, q, keep, scores);
      const cut = logSum + Math.log(share);
      const end = visibleEnd(head, q);
      selectionFlops += 2 * headSize * pairs + summaries.flopsPerRow;
      for (let j = 0; j * blockKeys < end; j++) {
        if (keep[j] === 1) continue;
        const first = j * summaries.perBlock;
        const stop = Math.min(end, (j + 1) * blockKeys);
        const last = summaries.score(q, stop, scores, j * blockKeys);
        selectionFlops += (last - first) * summaries.flopsPerScore;
        for (let s = first; s < last; s++) {
          excess[j] = Math.max(excess[j] as number, (scores[s] as number) - cut);
        }
      }
    }
    addAbove(keep, excess, keyBlocks, 0);
    addBeside(grid, keep, i, forced);
  });
  const pattern = `${summariser.type}, ${scorer.type}`;
  return makeSelection(grid, kept, { pattern, selectionFlops });
}
