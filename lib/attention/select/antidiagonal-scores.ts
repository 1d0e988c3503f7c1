import { dot, softmaxInPlace } from './dot';
import type { BlockGrid } from './grid';
import { endQuery, visibleEnd } from './grid';
import type { HeadTensors } from './types';

/** Queries regrouped for antidiagonal sums. */
export interface ReversedGroups {
  /** [groups, stride x headSize]: the queries of a group, last first; missing ones are 0. */
  readonly queries: Float32Array;
  readonly groups: number;
  readonly stride: number;
}

/**
 * Groups of `stride` queries in reversed order, so that one dot product with `stride` consecutive
 * keys is the sum over an antidiagonal of the stride x stride tile (XAttention, 2025).
 */
export function reverseGroups(head: HeadTensors, stride: number): ReversedGroups {
  const { queries, headSize, query } = head;
  const groups = Math.ceil(queries / stride);
  const reversed = new Float32Array(groups * stride * headSize);
  for (let q = 0; q < queries; q++) {
    const group = Math.floor(q / stride);
    const slot = group * stride + (stride - 1 - (q - group * stride));
    reversed.set(query.subarray(q * headSize, (q + 1) * headSize), slot * headSize);
  }
  return { queries: reversed, groups, stride };
}

/**
 * Antidiagonal sums of one group of queries over the tiles of stride keys that its last query sees,
 * scaled by 1 / (sqrt(headSize) stride norm). Tiles cut by the causal diagonal count whole, masked
 * pairs included.
 *
 * @param out [at least ceil(keys / stride)]
 * @returns number of tiles
 */
export function antidiagonalScores(
  head: HeadTensors,
  reversed: ReversedGroups,
  norm: number,
  group: number,
  out: Float64Array,
): number {
  const { headSize, keys } = head;
  const { stride } = reversed;
  const scale = 1 / (Math.sqrt(headSize) * stride * norm);
  const lastQuery = Math.min(head.queries, (group + 1) * stride) - 1;
  const tiles = Math.ceil(visibleEnd(head, lastQuery) / stride);
  const queryOffset = group * stride * headSize;
  for (let tile = 0; tile < tiles; tile++) {
    const tokens = Math.min(stride, keys - tile * stride);
    out[tile] =
      dot(reversed.queries, queryOffset, head.key, tile * stride * headSize, tokens * headSize) *
      scale;
  }
  return tiles;
}

/**
 * Estimated attention mass of every key block for one query block: softmax over the antidiagonal
 * sums of each group of queries, added up by block.
 *
 * @param out [grid.keyBlocks]; blocks that no group sees are 0
 * @returns flops
 */
export function antidiagonalMass(
  head: HeadTensors,
  grid: BlockGrid,
  reversed: ReversedGroups,
  norm: number,
  queryBlock: number,
  out: Float64Array,
): number {
  const { stride } = reversed;
  const perBlock = grid.blockKeys / stride;
  const row = new Float64Array(Math.ceil(head.keys / stride));
  const first = (queryBlock * grid.blockQueries) / stride;
  const end = Math.ceil(endQuery(grid, queryBlock) / stride);
  let multiplyAdds = 0;
  out.fill(0);
  for (let group = first; group < end; group++) {
    const tiles = antidiagonalScores(head, reversed, norm, group, row);
    multiplyAdds += tiles * stride * head.headSize;
    softmaxInPlace(row, tiles);
    for (let tile = 0; tile < tiles; tile++) {
      const block = Math.floor(tile / perBlock);
      out[block] = (out[block] as number) + (row[tile] as number);
    }
  }
  return 2 * multiplyAdds;
}
