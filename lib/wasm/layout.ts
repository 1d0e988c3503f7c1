import type { AttentionShape } from '../spec/kinds/attention';

/** Rows of a query block, as compiled into the kernel. */
export const BLOCK_QUERIES = 16;
/** Keys of a key block, as compiled into the kernel. */
export const BLOCK_KEYS = 32;
/** Largest head size of the kernel's scratch. */
export const MAX_HEAD_SIZE = 256;
/** Scratch of one instance, as compiled into the kernel; begins with the score tile. */
export const SCRATCH_BYTES = 29_360;
/** Up to so many queries are multiplied row by row, with keys as given; more need transposed keys. */
export const MAX_ROW_WISE_QUERIES = 4;

export const PAGE_BYTES = 65_536;
/** A 32-bit memory's end. */
export const MAX_PAGES = 65_536;

/** Where the tensors of one call lie in the module's memory; byte offsets, multiples of 64. */
export interface MemoryLayout {
  /** Products along d from row-major keys: no tiles, no staging. */
  readonly isRowWise: boolean;
  readonly keyBlocks: number;
  readonly queryBlocks: number;
  /** `headSize` rounded up to the 8 dims of a register tile: the row length of the values. */
  readonly paddedHeadSize: number;
  /** SCRATCH_BYTES per instance. */
  readonly scratch: number;
  /** u32 [instances][keyBlocks], the list of the query block that runs. */
  readonly blocks: number;
  readonly blocksStride: number;
  /** Per query head rows interleaved by four, [ceil(queries / 4)][headSize][4], or rows where `isRowWise`. */
  readonly query: number;
  readonly queryStride: number;
  /** Per KV head [keyBlocks][BLOCK_KEYS / 8][headSize][8], or row-major where `isRowWise`. */
  readonly key: number;
  readonly keyStride: number;
  /** Per KV head [keyBlocks x BLOCK_KEYS][paddedHeadSize], zeros past the end. */
  readonly value: number;
  readonly valueStride: number;
  readonly output: number;
  readonly lse: number;
  /** One head's keys or queries as rows, to be transposed. */
  readonly staging: number;
  readonly end: number;
}

/**
 * Lays a call out from `firstByte` on: a function of its arguments only, so that instances which
 * share a memory agree without a word.
 */
export function layOut(shape: AttentionShape, firstByte: number, instances: number): MemoryLayout {
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = shape;
  const isRowWise = queries <= MAX_ROW_WISE_QUERIES;
  const keyBlocks = Math.ceil(keys / BLOCK_KEYS);
  const paddedHeadSize = Math.ceil(headSize / 8) * 8;
  const blocksStride = aligned(4 * keyBlocks);
  const keyStride = 4 * keyBlocks * BLOCK_KEYS * headSize;
  const valueStride = 4 * keyBlocks * BLOCK_KEYS * paddedHeadSize;

  let end = firstByte;
  const place = (bytes: number): number => {
    const start = aligned(end);
    end = start + bytes;
    return start;
  };
  const scratch = place(SCRATCH_BYTES * instances);
  const blocks = place(blocksStride * instances);
  const queryStride = 4 * headSize * (isRowWise ? queries : 4 * Math.ceil(queries / 4));
  const query = place(queryStride * batch * queryHeads);
  const key = place(keyStride * batch * kvHeads);
  const value = place(valueStride * batch * kvHeads);
  const output = place(4 * batch * queryHeads * queries * headSize);
  const lse = place(4 * batch * queryHeads * queries);
  const staging = place(isRowWise ? 0 : Math.max(keyStride, queryStride));
  return {
    isRowWise,
    keyBlocks,
    queryBlocks: Math.ceil(queries / BLOCK_QUERIES),
    paddedHeadSize,
    scratch,
    blocks,
    blocksStride,
    query,
    queryStride,
    key,
    keyStride,
    value,
    valueStride,
    output,
    lse,
    staging,
    end,
  };
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
