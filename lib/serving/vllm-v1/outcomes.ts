import type { Workload } from '../../workload/types';
import type { GapRecorder } from '../core/gaps';
import type { RequestColumns } from '../types';

/** Per-request outcomes while a run goes on. */
export interface Outcomes {
  readonly columns: RequestColumns;
  /**
   * A token of `id` left replica `lane` at `nowSeconds`.
   * @param previousSeconds end of the lane's step before
   * @returns true when the token before it left then: such gaps are recorded together, by `share`
   */
  emit(id: number, lane: number, nowSeconds: number, previousSeconds: number): boolean;
  share(gapSeconds: number, count: number): void;
  /**
   * Catches up on a request whose tokens were not emitted one by one.
   * @param lastSeconds when its last token left
   * @param stallSeconds the longest of its gaps that were not told
   */
  settle(id: number, lastSeconds: number, stallSeconds: number): void;
  complete(id: number, lane: number, nowSeconds: number): void;
}

/** @param restarts preemptions by request, counted elsewhere */
export function createOutcomes(
  workload: Workload,
  restarts: Int32Array,
  gaps: GapRecorder,
): Outcomes {
  const count = workload.arrivalSeconds.length;
  const nan = () => new Float64Array(count).fill(Number.NaN);
  const columns = {
    arrivalSeconds: workload.arrivalSeconds.slice(),
    promptTokens: workload.promptTokens.slice(),
    outputTokens: workload.outputTokens.slice(),
    firstScheduledSeconds: nan(),
    firstTokenSeconds: nan(),
    completedSeconds: nan(),
    maxStallSeconds: new Float64Array(count),
    restarts,
    prefillLane: new Int16Array(count).fill(-1),
    decodeLane: new Int16Array(count).fill(-1),
    refused: new Uint8Array(count),
  };
  const lastTokenSeconds = nan();
  return {
    columns,
    emit(id, lane, now, previous) {
      const last = lastTokenSeconds[id] as number;
      lastTokenSeconds[id] = now;
      if (Number.isNaN(last)) {
        columns.firstTokenSeconds[id] = now;
        columns.prefillLane[id] = lane;
        return false;
      }
      const gap = now - last;
      if (gap > (columns.maxStallSeconds[id] as number)) columns.maxStallSeconds[id] = gap;
      if (last === previous) return true;
      gaps.add(gap, 1);
      return false;
    },
    share(gap, count) {
      if (count > 0) gaps.add(gap, count);
    },
    settle(id, last, stall) {
      lastTokenSeconds[id] = last;
      if (stall > (columns.maxStallSeconds[id] as number)) columns.maxStallSeconds[id] = stall;
    },
    complete(id, lane, now) {
      columns.completedSeconds[id] = now;
      columns.decodeLane[id] = lane;
    },
  };
}
