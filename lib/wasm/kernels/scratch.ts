// Tile sizes, and what one instance keeps in its scratch memory between the steps of a block:
//   scores      f32 [BLOCK_QUERIES][BLOCK_KEYS]        the tile that `modify` sees; then weights
//   queryTile   f32 [BLOCK_QUERIES / 4][headSize][4]   queries of the block, four rows interleaved
//   accumulator f32 [BLOCK_QUERIES][paddedHeadSize]    sum of weight x value, not yet divided
//   statistics  f32 [3][BLOCK_QUERIES]                 running maximum, running sum, last rescaling
//   visible     u32 [BLOCK_QUERIES]                    mask of a partial tile, a bit per key

export const BLOCK_QUERIES: usize = 16;
export const BLOCK_KEYS: usize = 32;
export const MAX_HEAD_SIZE: usize = 256;

/** Head size of values and accumulators: a multiple of the 8 dims of a register tile. */
@inline
export function paddedHead(headSize: usize): usize {
  return (headSize + 7) & ~7;
}

/** Bytes of a row of the score tile. */
export const SCORE_ROW_BYTES: usize = 4 * BLOCK_KEYS;

/** A masked score; anything below `NOTHING_SEEN` counts as masked. */
export const MASKED: f32 = -3e38;

/**
 * Running maximum of a row that has seen no key. Masked scores stay below it, so their distance to
 * the maximum is huge and their weight 0 without a test per element.
 */
export const NOTHING_SEEN: f32 = -1e38;

const QUERY_TILE: usize = BLOCK_QUERIES * SCORE_ROW_BYTES;
const ACCUMULATOR: usize = QUERY_TILE + 4 * BLOCK_QUERIES * MAX_HEAD_SIZE;
const STATISTICS: usize = ACCUMULATOR + 4 * BLOCK_QUERIES * MAX_HEAD_SIZE;

const VISIBLE: usize = STATISTICS + 3 * 4 * BLOCK_QUERIES;

/** Bytes of the mask of a tile. */
export const VISIBLE_BYTES: usize = 4 * BLOCK_QUERIES;

export const SCRATCH_BYTES: usize = VISIBLE + VISIBLE_BYTES;

@inline
export function queryTileOf(scratch: usize): usize {
  return scratch + QUERY_TILE;
}

@inline
export function accumulatorOf(scratch: usize): usize {
  return scratch + ACCUMULATOR;
}

@inline
export function maximaOf(scratch: usize): usize {
  return scratch + STATISTICS;
}

@inline
export function sumsOf(scratch: usize): usize {
  return scratch + STATISTICS + 4 * BLOCK_QUERIES;
}

@inline
export function rescalingsOf(scratch: usize): usize {
  return scratch + STATISTICS + 8 * BLOCK_QUERIES;
}

@inline
export function visibleOf(scratch: usize): usize {
  return scratch + VISIBLE;
}
