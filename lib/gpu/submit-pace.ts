/** Device time of one submit. */
const SUBMIT_SECONDS = 0.008;
/** Before anything was measured: a software adapter's rate. */
const FIRST_FLOPS_PER_SECOND = 2e9;

/** When what has been gathered is to be submitted: about every 8 ms of the device, as it was last seen. */
export interface SubmitPace {
  /** @returns whether a submit is due with this work */
  add(flops: number): boolean;
  /** Work handed in since the last measurement has taken so long. */
  measured(seconds: number): void;
}

export function createSubmitPace(): SubmitPace {
  let rate = FIRST_FLOPS_PER_SECOND;
  let gathered = 0;
  let sinceMeasured = 0;
  return {
    add(flops) {
      gathered += flops;
      sinceMeasured += flops;
      if (gathered < rate * SUBMIT_SECONDS) return false;
      gathered = 0;
      return true;
    },
    measured(seconds) {
      // Small work says what a wait costs, not how fast the device is.
      if (seconds > SUBMIT_SECONDS / 2) rate = Math.max(1e8, sinceMeasured / seconds);
      else rate = Math.max(rate, sinceMeasured / SUBMIT_SECONDS);
      sinceMeasured = 0;
      gathered = 0;
    },
  };
}
