import { buildBlockList } from '../attention/block-list';
import { visibleKeyRanges } from '../attention/mask';
import type { AttentionInputs } from '../attention/types';
import type { AttentionShape, AttentionVariant } from '../spec/kinds/attention';

/** Visible keys of every row as two ranges [x, y) and [z, w): 4 numbers a row, [batch or 1, queries]. */
export interface RowRanges {
  readonly data: Uint32Array<ArrayBuffer>;
  /** Rows per batch, 0 where every batch shares them. */
  readonly stride: number;
}

const batchesOf = (shape: AttentionShape, variant: AttentionVariant) =>
  variant.type === 'documents' ? shape.batch : 1;

export function rowRanges(inputs: AttentionInputs, variant: AttentionVariant): RowRanges {
  const { shape, documents } = inputs;
  const batches = batchesOf(shape, variant);
  const data = new Uint32Array(batches * shape.queries * 4);
  for (let b = 0; b < batches; b++) {
    for (let q = 0; q < shape.queries; q++) {
      const [first, second] = visibleKeyRanges(variant, shape, documents, b, q);
      const at = (b * shape.queries + q) * 4;
      if (first !== undefined) data.set(first, at);
      if (second !== undefined) data.set(second, at + 2);
    }
  }
  return { data, stride: batches > 1 ? shape.queries : 0 };
}

/** The block lists of every batch entry in the layout of the kernels. */
export interface PackedBlockList {
  /** [batch or 1, queryBlocks + 1] pairs (first entry, full entries). */
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly entries: Uint32Array<ArrayBuffer>;
  readonly stride: number;
  readonly queryBlocks: number;
  /** Entries per query block, the most of any batch entry. */
  readonly blockEntries: Uint32Array;
  readonly full: number;
  readonly partial: number;
  /** Blocks of the whole grid, over the same batch entries. */
  readonly total: number;
}

export function packBlockList(
  inputs: AttentionInputs,
  variant: AttentionVariant,
  blockQueries: number,
  blockKeys: number,
): PackedBlockList {
  const { shape, documents } = inputs;
  const lists = Array.from({ length: batchesOf(shape, variant) }, (_, batch) =>
    buildBlockList(variant, shape, documents, batch, blockQueries, blockKeys),
  );
  const { queryBlocks = 0, keyBlocks = 0 } = lists[0] ?? {};
  const stride = queryBlocks + 1;
  const rows = new Uint32Array(lists.length * stride * 2);
  const blockEntries = new Uint32Array(queryBlocks);
  const entries = new Uint32Array(lists.reduce((sum, { blocks }) => sum + blocks.length, 0));
  let at = 0;
  let full = 0;
  for (const [b, list] of lists.entries()) {
    for (let i = 0; i < stride; i++) {
      const row = (b * stride + i) * 2;
      rows[row] = at + list.offsets[i]!;
      if (i === queryBlocks) continue;
      rows[row + 1] = list.fullCounts[i]!;
      full += list.fullCounts[i]!;
      blockEntries[i] = Math.max(blockEntries[i]!, list.offsets[i + 1]! - list.offsets[i]!);
    }
    entries.set(list.blocks, at);
    at += list.blocks.length;
  }
  return {
    rows,
    entries,
    stride: lists.length > 1 ? stride : 0,
    queryBlocks,
    blockEntries,
    full,
    partial: entries.length - full,
    total: lists.length * queryBlocks * keyBlocks,
  };
}
