import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { softmaxInPlace } from './dot';
import { makeQueryJoin } from './query-join';

/** One weight per key block, from the scores of the queries of a block, row by row. */
export interface BlockReducer {
  readonly clear: () => void;
  /** Takes scores[0 .. count) of one query, `perBlock` of each block; they are overwritten. */
  readonly add: (scores: Float64Array, count: number) => void;
  /** The weights, [keyBlocks]; of a block that no query has scored -Infinity, or 0 of probabilities. */
  readonly finish: (out: Float64Array) => void;
}

/** Reduces over the keys of a block, then over queries. */
export function makeBlockReducer(
  keyBlocks: number,
  perBlock: number,
  reducer: ComposedSelection['reducer'],
): BlockReducer {
  const { of, keys, queries } = reducer;
  const { clear, nextQuery, join, finish } = makeQueryJoin(keyBlocks, reducer);
  // In the order of the presets, so that not even rounding tells them apart.
  const isDirect = keys === queries && keys !== 'mean';
  return {
    clear,
    add: (scores, count) => {
      nextQuery();
      if (of === 'probabilities') softmaxInPlace(scores, count);
      for (let start = 0; start < count; start += perBlock) {
        const end = Math.min(count, start + perBlock);
        const block = start / perBlock;
        if (isDirect) {
          for (let i = start; i < end; i++) join(block, scores[i] as number);
          continue;
        }
        let value = scores[start] as number;
        for (let i = start + 1; i < end; i++) {
          const next = scores[i] as number;
          value = keys === 'max' ? Math.max(value, next) : value + next;
        }
        join(block, keys === 'mean' ? value / (end - start) : value);
      }
    },
    finish,
  };
}
