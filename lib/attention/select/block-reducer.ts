import type { ComposedSelection } from '../../spec/kinds/selection-parts';
import { softmaxInPlace } from './dot';

/** One weight per key block, from the scores of the queries of a block, row by row. */
export interface BlockReducer {
  readonly clear: () => void;
  /** Takes scores[0 .. count) of one query, `perBlock` of each block; they are overwritten. */
  readonly add: (scores: Float64Array, count: number) => void;
  /** The weights, [keyBlocks]; of a block that no query has scored -Infinity, or 0 of probabilities. */
  readonly finish: (out: Float64Array) => void;
}

/**
 * Reduces over the keys of a block, then over queries. A mean of scores is over the queries that
 * score a block; of probabilities over all, since what a query does not see has probability 0.
 */
export function makeBlockReducer(
  keyBlocks: number,
  perBlock: number,
  { of, keys, queries }: ComposedSelection['reducer'],
): BlockReducer {
  const total = new Float64Array(keyBlocks);
  const seen = new Uint32Array(keyBlocks);
  let rows = 0;
  const join = (block: number, value: number) => {
    const before = total[block] as number;
    if (seen[block] === 0) total[block] = value;
    else if (queries === 'max') total[block] = Math.max(before, value);
    else total[block] = before + value;
    seen[block] = (seen[block] as number) + 1;
  };
  // In the order of the presets, so that not even rounding tells them apart.
  const isDirect = keys === queries && keys !== 'mean';
  return {
    clear: () => {
      rows = 0;
      seen.fill(0);
    },
    add: (scores, count) => {
      rows++;
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
    finish: (out) => {
      for (let j = 0; j < keyBlocks; j++) {
        const count = seen[j] as number;
        if (count === 0) out[j] = of === 'scores' ? -Infinity : 0;
        else if (queries !== 'mean') out[j] = total[j] as number;
        else out[j] = (total[j] as number) / (of === 'scores' ? count : rows);
      }
    },
  };
}
