import { checkInteger } from './checks';
import type { HeadGeometry, Selection } from './types';

/** Largest block side accepted, in tokens. */
export const MAX_BLOCK_TOKENS = 65_536;

/** Query and key positions cut into blocks; the last block of each may be ragged. */
export interface BlockGrid extends HeadGeometry {
  readonly blockQueries: number;
  readonly blockKeys: number;
  readonly queryBlocks: number;
  readonly keyBlocks: number;
  /** Key position of query 0; negative where there are more queries than keys. */
  readonly firstPosition: number;
}

export function makeGrid(head: HeadGeometry, blockQueries: number, blockKeys: number): BlockGrid {
  checkInteger('blockQueries', blockQueries, 1, MAX_BLOCK_TOKENS);
  checkInteger('blockKeys', blockKeys, 1, MAX_BLOCK_TOKENS);
  return {
    queries: head.queries,
    keys: head.keys,
    causal: head.causal,
    ...(head.seenEnds === undefined ? {} : { seenEnds: head.seenEnds }),
    blockQueries,
    blockKeys,
    queryBlocks: Math.ceil(head.queries / blockQueries),
    keyBlocks: Math.ceil(head.keys / blockKeys),
    firstPosition: head.keys - head.queries,
  };
}

/** One past the last key that a query sees; 0 for a query before the first key. */
export function visibleEnd(head: HeadGeometry, query: number): number {
  if (head.seenEnds !== undefined) return head.seenEnds[query] as number;
  if (!head.causal) return head.keys;
  return Math.max(0, head.keys - head.queries + query + 1);
}

/** One past the last query of a query block. */
export function endQuery(grid: BlockGrid, queryBlock: number): number {
  return Math.min(grid.queries, (queryBlock + 1) * grid.blockQueries);
}

/** Key position of the first query of a query block. */
export function firstPosition(grid: BlockGrid, queryBlock: number): number {
  return grid.firstPosition + queryBlock * grid.blockQueries;
}

/** Key position of the last query of a query block. */
export function lastPosition(grid: BlockGrid, queryBlock: number): number {
  return grid.firstPosition + endQuery(grid, queryBlock) - 1;
}

/** Key blocks that hold at least one key visible to the query block; they are the first ones. */
export function visibleBlocks(grid: BlockGrid, queryBlock: number): number {
  return Math.ceil(visibleEnd(grid, endQuery(grid, queryBlock) - 1) / grid.blockKeys);
}

/**
 * Rows of kept blocks as CSR. `mark` sets `keep[j] = 1` for a cleared row; marks on blocks without
 * a visible key are dropped, so that a selector cannot break causality.
 *
 * @param keyOrder original key per slot, where blocks count permuted slots
 */
export function collectBlocks(
  grid: BlockGrid,
  mark: (queryBlock: number, keep: Uint8Array) => void,
  keyOrder?: Uint32Array,
): Pick<Selection, 'offsets' | 'blocks'> {
  const { queryBlocks, keyBlocks, blockKeys } = grid;
  const offsets = new Uint32Array(queryBlocks + 1);
  const keep = new Uint8Array(keyBlocks);
  const earliest = Uint32Array.from({ length: keyBlocks }, (_, j) => {
    if (keyOrder === undefined) return j * blockKeys;
    return keyOrder.subarray(j * blockKeys, (j + 1) * blockKeys).reduce((a, b) => Math.min(a, b));
  });
  let blocks = new Uint32Array(1024);
  let count = 0;
  for (let i = 0; i < queryBlocks; i++) {
    keep.fill(0);
    mark(i, keep);
    const end = visibleEnd(grid, endQuery(grid, i) - 1);
    if (count + keyBlocks > blocks.length) {
      const larger = new Uint32Array(2 * blocks.length + keyBlocks);
      larger.set(blocks);
      blocks = larger;
    }
    for (let j = 0; j < keyBlocks; j++) {
      if (keep[j] === 1 && (earliest[j] as number) < end) blocks[count++] = j;
    }
    offsets[i + 1] = count;
  }
  return { offsets, blocks: blocks.slice(0, count) };
}

/** A selection of whole blocks, or of lines where `rest.lines` is given. */
export function makeSelection(
  grid: BlockGrid,
  rows: Pick<Selection, 'offsets' | 'blocks'>,
  rest: {
    readonly pattern: string;
    readonly selectionFlops: number;
    readonly lines?: Selection['lines'];
    readonly keyOrder?: Selection['keyOrder'];
  },
): Selection {
  const { blockQueries, blockKeys, queryBlocks, keyBlocks } = grid;
  return {
    blockQueries,
    blockKeys,
    queryBlocks,
    keyBlocks,
    offsets: rows.offsets,
    blocks: rows.blocks,
    lines: rest.lines,
    keyOrder: rest.keyOrder,
    selectionFlops: rest.selectionFlops,
    pattern: rest.pattern,
  };
}
