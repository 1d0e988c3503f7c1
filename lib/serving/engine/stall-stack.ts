/**
 * Gaps between consecutive decode iterations, kept so that the largest one since any step is found
 * in O(log n): a later gap that is as large makes the earlier ones unneeded, so what is left falls.
 */
export interface StallStack {
  /** The gap before the end of iteration `step`. */
  push(step: number, gapSeconds: number): void;
  /** The largest gap of iterations after `step`; 0 when there is none. */
  largestAfter(step: number): number;
  clear(): void;
}

export function createStallStack(): StallStack {
  let steps = new Int32Array(64);
  let gaps = new Float64Array(64);
  let count = 0;
  return {
    push(step, gapSeconds) {
      while (count > 0 && (gaps[count - 1] as number) <= gapSeconds) count--;
      if (count === steps.length) {
        const moreSteps = new Int32Array(count * 2);
        const moreGaps = new Float64Array(count * 2);
        moreSteps.set(steps);
        moreGaps.set(gaps);
        steps = moreSteps;
        gaps = moreGaps;
      }
      steps[count] = step;
      gaps[count++] = gapSeconds;
    },
    largestAfter(step) {
      let low = 0;
      let high = count;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((steps[middle] as number) <= step) low = middle + 1;
        else high = middle;
      }
      return low < count ? (gaps[low] as number) : 0;
    },
    clear() {
      count = 0;
    },
  };
}
