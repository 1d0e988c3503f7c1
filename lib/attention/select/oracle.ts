import { checkHead, checkInteger, checkShare } from './checks';
import { dot, softmaxInPlace } from './dot';
import {
  collectBlocks,
  endQuery,
  makeGrid,
  makeSelection,
  visibleBlocks,
  visibleEnd,
} from './grid';
import { addTopK, addTopP } from './selectors';
import type { HeadTensors, Selection } from './types';

export interface OracleOptions {
  readonly blockQueries: number;
  readonly blockKeys: number;
  readonly budget:
    | { readonly type: 'top-k'; readonly blocks: number }
    | { readonly type: 'top-p'; readonly share: number };
}

/**
 * The ceiling: blocks ranked by their exact attention mass, summed over the queries of a block. No
 * selector of whole blocks keeps more mass with the same number of blocks per query block. Costs
 * the dense scores, and sees what no method may see before it has chosen.
 */
export function selectOracle(head: HeadTensors, options: OracleOptions): Selection {
  const { budget, blockQueries, blockKeys } = options;
  const { keys, headSize } = head;
  checkHead(head);
  if (budget.type === 'top-k') checkInteger('blocks', budget.blocks, 1, 2 ** 24);
  else checkShare('share', budget.share);
  const grid = makeGrid(head, blockQueries, blockKeys);
  const scale = 1 / Math.sqrt(headSize);
  const row = new Float64Array(keys);
  const mass = new Float64Array(grid.keyBlocks);
  let pairs = 0;
  const rows = collectBlocks(grid, (i, keep) => {
    mass.fill(0);
    for (let q = i * blockQueries; q < endQuery(grid, i); q++) {
      const end = visibleEnd(head, q);
      for (let k = 0; k < end; k++) {
        row[k] = dot(head.query, q * headSize, head.key, k * headSize, headSize) * scale;
      }
      softmaxInPlace(row, end);
      for (let k = 0; k < end; k++) {
        const block = Math.floor(k / blockKeys);
        mass[block] = (mass[block] as number) + (row[k] as number);
      }
      pairs += end;
    }
    const count = visibleBlocks(grid, i);
    if (budget.type === 'top-k') addTopK(keep, mass, count, budget.blocks);
    else addTopP(keep, mass, count, budget.share);
  });
  return makeSelection(grid, rows, { pattern: 'oracle', selectionFlops: 2 * headSize * pairs });
}
