import type { BlockList } from './types';

/** What a kernel does with a block. */
export const BLOCK = { skipped: 0, partial: 1, full: 2 } as const;
export type BlockState = (typeof BLOCK)[keyof typeof BLOCK];

/** The list as a grid [queryBlocks, keyBlocks] of `BLOCK` states. */
export function blockStates(list: BlockList): Uint8Array {
  const { queryBlocks, keyBlocks, offsets, fullCounts, blocks } = list;
  const states = new Uint8Array(queryBlocks * keyBlocks);
  for (let r = 0; r < queryBlocks; r++) {
    const start = offsets[r] as number;
    const fullEnd = start + (fullCounts[r] as number);
    for (let e = start; e < (offsets[r + 1] as number); e++) {
      states[r * keyBlocks + (blocks[e] as number)] = e < fullEnd ? BLOCK.full : BLOCK.partial;
    }
  }
  return states;
}

/** State of the block that holds an element. */
export function blockStateAt(list: BlockList, query: number, key: number): BlockState {
  const { blockQueries, blockKeys, offsets, fullCounts, blocks } = list;
  const row = Math.floor(query / blockQueries);
  const column = Math.floor(key / blockKeys);
  const start = offsets[row] ?? 0;
  const at = blocks.subarray(start, offsets[row + 1] ?? start).indexOf(column);
  if (at < 0) return BLOCK.skipped;
  return at < (fullCounts[row] as number) ? BLOCK.full : BLOCK.partial;
}

/** What a row of query blocks visits. */
export interface BlockRow {
  readonly queryBlock: number;
  readonly full: number;
  readonly partial: number;
  readonly skipped: number;
  /** Key blocks as ranges: "0-6, 9". */
  readonly fullRanges: string;
  readonly partialRanges: string;
}

export function blockRow(list: BlockList, queryBlock: number): BlockRow {
  const { keyBlocks, offsets, fullCounts, blocks } = list;
  const start = offsets[queryBlock] as number;
  const end = offsets[queryBlock + 1] as number;
  const full = fullCounts[queryBlock] as number;
  return {
    queryBlock,
    full,
    partial: end - start - full,
    skipped: keyBlocks - (end - start),
    fullRanges: ranges(blocks.subarray(start, start + full)),
    partialRanges: ranges(blocks.subarray(start + full, end)),
  };
}

function ranges(indices: Uint32Array): string {
  const parts: string[] = [];
  for (let i = 0; i < indices.length; ) {
    let j = i;
    while (j + 1 < indices.length && indices[j + 1] === (indices[j] as number) + 1) j++;
    parts.push(i === j ? `${indices[i]}` : `${indices[i]}-${indices[j]}`);
    i = j + 1;
  }
  return parts.join(', ');
}
