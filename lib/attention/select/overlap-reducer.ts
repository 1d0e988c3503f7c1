import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import type { BlockReducer } from './block-reducer';
import { softmaxInPlace } from './dot';
import type { BlockGrid } from './grid';
import { makeQueryJoin } from './query-join';

/** Parts of keys at every stride, part p from key p x strideTokens on; they may cross blocks. */
export interface OverlappingParts {
  readonly partTokens: number;
  /** At most partTokens, so that no key is left out. */
  readonly strideTokens: number;
}

/**
 * Reduces over the parts that overlap a block, then over queries. A sum gives a block of each part
 * its overlap in units of the stride, as NSA (2025) shares out attention to compressed keys; a mean
 * weighs by overlap.
 */
export function makeOverlapReducer(
  grid: BlockGrid,
  { partTokens, strideTokens }: OverlappingParts,
  reducer: ComposedSelection['reducer'],
): BlockReducer {
  const { of, keys, queries } = reducer;
  const { keyBlocks, blockKeys } = grid;
  const { clear, nextQuery, join, finish } = makeQueryJoin(keyBlocks, reducer);
  const values = new Float64Array(keyBlocks);
  const overlaps = new Float64Array(keyBlocks);
  // In the order of the preset, so that not even rounding tells them apart.
  const isDirect = keys === 'sum' && queries === 'sum';

  const addOverlap = (block: number, value: number, overlap: number) => {
    const before = values[block] as number;
    const isFirst = overlaps[block] === 0;
    overlaps[block] = (overlaps[block] as number) + overlap;
    if (keys === 'max') values[block] = isFirst ? value : Math.max(before, value);
    else values[block] = before + (keys === 'sum' ? value / strideTokens : value) * overlap;
  };
  const add = (scores: Float64Array, count: number) => {
    nextQuery();
    if (of === 'probabilities') softmaxInPlace(scores, count);
    values.fill(0);
    overlaps.fill(0);
    for (let p = 0; p < count; p++) {
      const start = p * strideTokens;
      const end = start + partTokens;
      const value = scores[p] as number;
      for (let j = Math.floor(start / blockKeys); j * blockKeys < end; j++) {
        const overlap = Math.min(end, (j + 1) * blockKeys) - Math.max(start, j * blockKeys);
        if (isDirect) join(j, (value / strideTokens) * overlap);
        else addOverlap(j, value, overlap);
      }
    }
    if (isDirect) return;
    for (let j = 0; j < keyBlocks && overlaps[j] !== 0; j++) {
      const value = values[j] as number;
      join(j, keys === 'mean' ? value / (overlaps[j] as number) : value);
    }
  };
  return { clear, add, finish };
}
