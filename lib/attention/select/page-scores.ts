import type { BlockGrid } from './grid';
import { endQuery, visibleEnd } from './grid';
import type { PageBounds } from './summaries';
import type { HeadTensors } from './types';

/**
 * Quest's upper bound on q.k over the keys of a page: sum over channels of
 * max(q min, q max), unscaled.
 *
 * @param positive max(q, 0), [headSize]
 * @param negative min(q, 0), [headSize]
 */
export function pageUpperBound(
  positive: Float32Array,
  negative: Float32Array,
  bounds: PageBounds,
  page: number,
): number {
  const offset = page * positive.length;
  const { min, max } = bounds;
  let high = 0;
  let low = 0;
  for (let d = 0; d < positive.length; d++) {
    high += (positive[d] as number) * (max[offset + d] as number);
    low += (negative[d] as number) * (min[offset + d] as number);
  }
  return high + low;
}

/** Splits a query into its positive and negative parts, so that the bound needs no branch. */
export function splitQuery(
  query: Float32Array,
  offset: number,
  positive: Float32Array,
  negative: Float32Array,
): void {
  for (let d = 0; d < positive.length; d++) {
    const x = query[offset + d] as number;
    positive[d] = Math.max(x, 0);
    negative[d] = Math.min(x, 0);
  }
}

/**
 * Upper bound of every block for one query block: the largest over its queries and over the
 * sub-pages of the block (LServe's logical pages). A sub-page counts for a query only where the
 * query sees its first key. Blocks without one are -Infinity.
 *
 * @param bounds of sub-pages of `subPageTokens`, a divisor of `grid.blockKeys`
 * @param out [grid.keyBlocks]
 * @returns flops
 */
export function blockUpperBounds(
  head: HeadTensors,
  grid: BlockGrid,
  bounds: PageBounds,
  subPageTokens: number,
  queryBlock: number,
  out: Float64Array,
): number {
  const { headSize } = head;
  const positive = new Float32Array(headSize);
  const negative = new Float32Array(headSize);
  const perBlock = grid.blockKeys / subPageTokens;
  let scored = 0;
  out.fill(-Infinity);
  for (let q = queryBlock * grid.blockQueries; q < endQuery(grid, queryBlock); q++) {
    splitQuery(head.query, q * headSize, positive, negative);
    const pages = Math.ceil(visibleEnd(head, q) / subPageTokens);
    for (let page = 0; page < pages; page++) {
      const block = Math.floor(page / perBlock);
      const bound = pageUpperBound(positive, negative, bounds, page);
      if (bound > (out[block] as number)) out[block] = bound;
    }
    scored += pages;
  }
  return 4 * headSize * scored;
}
