import { buildBlockList } from '../attention/block-list';
import type { AttentionInputs } from '../attention/types';

/** The block lists of every batch entry and head in the layout of the kernels. */
export interface PackedBlockList {
  /** [batch or 1, head groups or 1, queryBlocks + 1] pairs (first entry, full entries). */
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly entries: Uint32Array<ArrayBuffer>;
  readonly stride: number;
  readonly headStride: number;
  readonly queryBlocks: number;
  /** Entries per query block, the most of any list. */
  readonly blockEntries: Uint32Array;
  /** Partial ones among them, the most of any list. */
  readonly blockPartials: Uint32Array;
  readonly lists: number;
  readonly full: number;
  readonly partial: number;
  /** Blocks of the whole grid, over the same lists. */
  readonly total: number;
}

/** @param headGroups lists per batch entry where heads differ: query heads, or KV heads for kernels that treat their group together */
export function packBlockList(
  { shape, program }: AttentionInputs,
  blockQueries: number,
  blockKeys: number,
  headGroups: number,
): PackedBlockList {
  const batches = program.maskPerBatch ? shape.batch : 1;
  const groups = program.maskPerHead ? headGroups : 1;
  const headsPerGroup = shape.queryHeads / groups;
  const lists = Array.from({ length: batches * groups }, (_, i) => {
    const first = (i % groups) * headsPerGroup;
    const heads = [first, first + headsPerGroup - 1] as const;
    return buildBlockList(program, shape, Math.floor(i / groups), heads, blockQueries, blockKeys);
  });
  const { queryBlocks = 0, keyBlocks = 0 } = lists[0] ?? {};
  const stride = queryBlocks + 1;
  const rows = new Uint32Array(lists.length * stride * 2);
  const blockEntries = new Uint32Array(queryBlocks);
  const blockPartials = new Uint32Array(queryBlocks);
  const entries = new Uint32Array(lists.reduce((sum, { blocks }) => sum + blocks.length, 0));
  let at = 0;
  let full = 0;
  for (const [l, list] of lists.entries()) {
    for (let i = 0; i < stride; i++) {
      const row = (l * stride + i) * 2;
      rows[row] = at + list.offsets[i]!;
      if (i === queryBlocks) continue;
      rows[row + 1] = list.fullCounts[i]!;
      full += list.fullCounts[i]!;
      const count = list.offsets[i + 1]! - list.offsets[i]!;
      blockEntries[i] = Math.max(blockEntries[i]!, count);
      blockPartials[i] = Math.max(blockPartials[i]!, count - list.fullCounts[i]!);
    }
    entries.set(list.blocks, at);
    at += list.blocks.length;
  }
  return {
    rows,
    entries,
    stride: batches > 1 ? groups * stride : 0,
    headStride: groups > 1 ? stride : 0,
    queryBlocks,
    blockEntries,
    blockPartials,
    lists: lists.length,
    full,
    partial: entries.length - full,
    total: lists.length * queryBlocks * keyBlocks,
  };
}
