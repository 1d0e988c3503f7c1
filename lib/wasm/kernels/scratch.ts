// Tile sizes, and what one instance keeps in its scratch memory between the steps of a block:
//   scores      f32 [TILES][BLOCK_QUERIES][BLOCK_KEYS] tiles that `modify` sees; then weights
//   accumulator f32 [BLOCK_QUERIES][paddedHeadSize]    sum of weight x value, not yet divided
//   statistics  f32 [3][BLOCK_QUERIES]                 running maximum, running sum, last rescaling
//   visible     u32 [BLOCK_QUERIES]                    mask of a partial tile, a bit per key
//   segments    [BLOCK_QUERIES / 4][TILES] of four rows: `segments.ts`; where they end
//   stages      u32 [BLOCK_QUERIES / 4]                how far four rows are

export const BLOCK_QUERIES: usize = 16;
export const BLOCK_KEYS: usize = 32;
export const MAX_HEAD_SIZE: usize = 256;
/** Key blocks between two steps of the online softmax; their values and scores fit the first-level cache. */
export const TILES: usize = 6;

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

export const TILE_BYTES: usize = BLOCK_QUERIES * SCORE_ROW_BYTES;

const ACCUMULATOR: usize = TILES * TILE_BYTES;
const STATISTICS: usize = ACCUMULATOR + 4 * BLOCK_QUERIES * MAX_HEAD_SIZE;

const VISIBLE: usize = STATISTICS + 3 * 4 * BLOCK_QUERIES;

/** Bytes of the mask of a tile. */
export const VISIBLE_BYTES: usize = 4 * BLOCK_QUERIES;

/** A segment: see `segments.ts`. */
export const SEGMENT_BYTES: usize = 16;
const SEGMENTS: usize = VISIBLE + VISIBLE_BYTES;
const SEGMENTS_BYTES: usize = SEGMENT_BYTES * TILES * (BLOCK_QUERIES / 4);

const SEGMENT_ENDS: usize = SEGMENTS + SEGMENTS_BYTES;
const STAGES: usize = SEGMENT_ENDS + BLOCK_QUERIES;
const ONES: usize = STAGES + BLOCK_QUERIES;

export const SCRATCH_BYTES: usize = ONES + 16;

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

/** Segments of four rows from `row` on. */
@inline
export function segmentsOf(scratch: usize, row: usize): usize {
  return scratch + SEGMENTS + SEGMENT_BYTES * TILES * (row >> 2);
}

/** Where the segments of each four rows end, u32 [BLOCK_QUERIES / 4]. */
@inline
export function segmentEndsOf(scratch: usize): usize {
  return scratch + SEGMENT_ENDS;
}

/** How far four rows are: nothing in the accumulator, sums in it, quotients in the output. */
export const EMPTY: u32 = 0;
export const SUMMED: u32 = 1;
export const WRITTEN: u32 = 2;

/** The stage of each four rows, u32 [BLOCK_QUERIES / 4]. */
@inline
export function stagesOf(scratch: usize): usize {
  return scratch + STAGES;
}

/** Four times 1. */
@inline
export function onesOf(scratch: usize): usize {
  return scratch + ONES;
}
