import type { Weighted } from '../../stats/percentiles';
import { sortWeighted } from '../../stats/sort-weighted';
import { growableFloats } from './growable';

/**
 * Gaps between consecutive tokens, as (value, count) pairs: in one iteration every request that
 * also emitted in the iteration before shares one gap, so a run of a million tokens stays small
 * and percentiles stay exact.
 */
export interface GapRecorder {
  add(gapSeconds: number, count: number): void;
  take(): Weighted;
}

export function createGapRecorder(): GapRecorder {
  const values = growableFloats();
  const counts = growableFloats();
  return {
    add(gapSeconds, count) {
      values.push(gapSeconds);
      counts.push(count);
    },
    take: () => sortWeighted(values.take(), counts.take()),
  };
}
