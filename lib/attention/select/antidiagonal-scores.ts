import type { RowProducts } from '../weights/types';
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

/** Writes the products of one group of queries with the first `tiles` tiles of keys. */
export type TileProducts = (group: number, tiles: number, out: Float64Array) => void;

/** One dot product after the other, summed in f64. */
export function dotTiles(head: HeadTensors, { queries, stride }: ReversedGroups): TileProducts {
  const { key, keys, headSize } = head;
  const size = stride * headSize;
  return (group, tiles, out) => {
    for (let tile = 0; tile < tiles; tile++) {
      const length = Math.min(stride, keys - tile * stride) * headSize;
      out[tile] = dot(queries, group * size, key, tile * size, length);
    }
  };
}

const PANEL = 8;

/**
 * The same as products of matrices in f32, as many groups at a time as a query block has.
 *
 * @param together groups that are asked for one after the other, from a multiple of it on
 */
export function multiplyTiles(
  head: HeadTensors,
  { queries, groups, stride }: ReversedGroups,
  together: number,
  products: RowProducts,
): TileProducts {
  const { key, keys, headSize } = head;
  const size = stride * headSize;
  const tileCount = Math.ceil(keys / stride);
  const rows = new Float32Array(tileCount * size);
  rows.set(key.subarray(0, keys * headSize));
  const kept = products.keep(rows, tileCount, size);
  let first = -1;
  let values = new Float32Array();
  let width = 0;
  return (group, tiles, out) => {
    const start = group - (group % together);
    if (start !== first) {
      first = start;
      const end = Math.min(groups, start + together);
      const seen = visibleEnd(head, Math.min(head.queries, end * stride) - 1);
      const panels = Math.ceil(Math.ceil(seen / stride) / PANEL);
      width = PANEL * panels;
      const part = queries.subarray(start * size, end * size);
      values =
        panels === 0 ? values : products.multiply(part, end - start, kept, 0, panels).slice();
    }
    const at = (group - start) * width;
    for (let tile = 0; tile < tiles; tile++) out[tile] = values[at + tile] as number;
  };
}

/** Multiply-adds of a head from which products of matrices are worth their packing. */
const LARGE_HEAD = 2 ** 21;

/**
 * Products of matrices for large heads, in f32, where they are given; else dot products in f64.
 *
 * @param blockQueries queries whose groups are asked for one after the other
 */
export function chooseTileProducts(
  head: HeadTensors,
  reversed: ReversedGroups,
  blockQueries: number,
  createProducts?: () => RowProducts,
): TileProducts {
  const { stride } = reversed;
  const isLarge = (head.queries * head.keys * head.headSize) / stride >= LARGE_HEAD;
  return isLarge && createProducts !== undefined
    ? multiplyTiles(head, reversed, blockQueries / stride, createProducts())
    : dotTiles(head, reversed);
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
  tileProducts: TileProducts = dotTiles(head, reversed),
): number {
  const { headSize } = head;
  const { stride } = reversed;
  const scale = 1 / (Math.sqrt(headSize) * stride * norm);
  const lastQuery = Math.min(head.queries, (group + 1) * stride) - 1;
  const tiles = Math.ceil(visibleEnd(head, lastQuery) / stride);
  tileProducts(group, tiles, out);
  for (let tile = 0; tile < tiles; tile++) out[tile] = (out[tile] as number) * scale;
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
  tileProducts: TileProducts = dotTiles(head, reversed),
): number {
  const { stride } = reversed;
  const perBlock = grid.blockKeys / stride;
  const row = new Float64Array(Math.ceil(head.keys / stride));
  const first = (queryBlock * grid.blockQueries) / stride;
  const end = Math.ceil(endQuery(grid, queryBlock) / stride);
  let multiplyAdds = 0;
  out.fill(0);
  for (let group = first; group < end; group++) {
    const tiles = antidiagonalScores(head, reversed, norm, group, row, tileProducts);
    multiplyAdds += tiles * stride * head.headSize;
    softmaxInPlace(row, tiles);
    for (let tile = 0; tile < tiles; tile++) {
      const block = Math.floor(tile / perBlock);
      out[block] = (out[block] as number) + (row[tile] as number);
    }
  }
  return 2 * multiplyAdds;
}
