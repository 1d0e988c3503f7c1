import type { AttentionShape } from '../spec/kinds/attention';
import type { LaneLists } from './lane';
import { BLOCK_KEYS, BLOCK_QUERIES } from './layout';
import type { WriteVisible } from './module';

/** Bytes of the mask of a partial block: u32 [BLOCK_QUERIES]. */
export const MASK_BYTES = 4 * BLOCK_QUERIES;
/** Lists with more masks than this have them made by every run anew. */
export const MAX_MASKS_BYTES = 2 ** 26;

/** Masks of the partial blocks of all lists, made once and read by every run, head and thread. */
export interface ListMasks {
  /** Where u32 [masks][BLOCK_QUERIES] lie in the memory. */
  readonly address: number;
  /** Per row of the lists: partial blocks of the rows before it. */
  readonly starts: Uint32Array;
}

/** Partial blocks before each row of the lists, and of all. */
export function countPartial({ rows, entries }: Pick<LaneLists, 'rows' | 'entries'>): {
  readonly starts: Uint32Array;
  readonly count: number;
} {
  const starts = new Uint32Array(rows.length / 2);
  let full = 0;
  for (let i = 0; i < starts.length; i++) {
    starts[i] = (rows[2 * i] as number) - full;
    full += rows[2 * i + 1] as number;
  }
  return { starts, count: entries.length - full };
}

/** Writes the mask of every partial block. */
export function fillMasks(
  { address, starts }: ListMasks,
  { rows, entries, stride, headStride, queryBlocks }: LaneLists,
  { batch, queryHeads, queries }: AttentionShape,
  visible: WriteVisible,
): void {
  for (let b = 0; b < (stride > 0 ? batch : 1); b++) {
    for (let h = 0; h < (headStride > 0 ? queryHeads : 1); h++) {
      for (let block = 0; block < queryBlocks; block++) {
        const row = b * stride + h * headStride + block;
        const firstRow = block * BLOCK_QUERIES;
        const count = Math.min(BLOCK_QUERIES, queries - firstRow);
        let at = address + MASK_BYTES * (starts[row] as number);
        const end = rows[2 * row + 2] as number;
        for (let e = (rows[2 * row] as number) + (rows[2 * row + 1] as number); e < end; e++) {
          visible(at, b, h, firstRow, BLOCK_KEYS * (entries[e] as number), count);
          at += MASK_BYTES;
        }
      }
    }
  }
}
