import { SCORE_ROW_BYTES, SEGMENT_BYTES } from './scratch';

// The keys of one tile that four rows see, from the first to the last, as four words:
//   scores   address of the first row's scores, at a multiple of 4 keys
//   bytes    of scores in a row, whole vectors; those of unseen keys are masked
//   values   address of the first key's values
//   keys     from the first to the last << 8 | keys between `scores` and the first

/** @param first,last keys of the tile, `values` those of its key 0 */
@inline
export function writeSegment(
  at: usize,
  tile: usize,
  row: usize,
  first: usize,
  last: usize,
  values: usize,
  rowBytes: usize,
): void {
  const from = first & ~3;
  store<u32>(at, <u32>(tile + row * SCORE_ROW_BYTES + 4 * from));
  store<u32>(at, <u32>(4 * ((last | 3) + 1 - from)), 4);
  store<u32>(at, <u32>(values + first * rowBytes), 8);
  store<u32>(at, <u32>(((last + 1 - first) << 8) | (first - from)), 12);
}

@inline
export function scoresOf(segment: usize): usize {
  return load<u32>(segment);
}

@inline
export function scoreBytesOf(segment: usize): usize {
  return load<u32>(segment, 4);
}

/** Of the first key. */
@inline
export function valuesOf(segment: usize): usize {
  return load<u32>(segment, 8);
}

@inline
export function keysOf(segment: usize): usize {
  return load<u32>(segment, 12) >> 8;
}

/** Weights of the first row, from the first key on. */
@inline
export function weightsOf(segment: usize): usize {
  return load<u32>(segment) + 4 * (load<u32>(segment, 12) & 0xff);
}

@inline
export function nextSegment(segment: usize): usize {
  return segment + SEGMENT_BYTES;
}
