import { growableFloats, growableInts } from '../core/growable';
import type { SmSplit } from '../cost/partition';
import { SHARE_UNIT } from '../lane-roles';
import type { TimelineLane } from '../types';

/** Beyond so many rows the last one is a mean over time. */
const MOST_ROWS = 500_000;

/** Shares of one accelerator's multiprocessors over time, a row for as long as they stay. */
export interface ShareLog {
  /** From `now` on the phases have these shares; 0 for one that is idle. */
  mark(now: number, shares: SmSplit): void;
  take(id: string, label: string, nowSeconds: number): TimelineLane;
}

export function createShareLog(): ShareLog {
  const start = growableFloats();
  const duration = growableFloats();
  const prefill = growableInts();
  const decode = growableInts();
  const phases = growableInts();
  let since = 0;
  let current: SmSplit = { prefillShare: 0, decodeShare: 0 };
  /** What no longer gets rows of its own: seconds, and shares x seconds. */
  const rest = { start: 0, seconds: 0, prefill: 0, decode: 0 };
  let rows = 0;

  function push(from: number, seconds: number, { prefillShare, decodeShare }: SmSplit): void {
    rows++;
    start.push(from);
    duration.push(seconds);
    prefill.push(Math.round(SHARE_UNIT * prefillShare));
    decode.push(Math.round(SHARE_UNIT * decodeShare));
    phases.push((prefillShare > 0 ? 1 : 0) + (decodeShare > 0 ? 1 : 0));
  }
  function close(now: number): void {
    const seconds = now - since;
    const { prefillShare, decodeShare } = current;
    if (seconds <= 0) return;
    if (rows < MOST_ROWS) {
      if (prefillShare + decodeShare > 0) push(since, seconds, current);
      return;
    }
    if (rest.seconds === 0) rest.start = since;
    rest.seconds += seconds;
    rest.prefill += prefillShare * seconds;
    rest.decode += decodeShare * seconds;
  }

  return {
    mark(now, shares) {
      const isSame =
        shares.prefillShare === current.prefillShare && shares.decodeShare === current.decodeShare;
      if (isSame) return;
      close(now);
      since = now;
      current = shares;
    },
    take(id, label, now) {
      close(now);
      if (rest.seconds > 0) {
        const mean = {
          prefillShare: rest.prefill / rest.seconds,
          decodeShare: rest.decode / rest.seconds,
        };
        push(rest.start, rest.seconds, mean);
      }
      const count = start.length;
      return {
        id,
        label,
        role: 'share',
        startSeconds: start.take(),
        durationSeconds: duration.take(),
        prefillTokens: prefill.take(),
        decodeTokens: decode.take(),
        batchSize: phases.take(),
        queueLength: new Int32Array(count),
        kvBlocksUsed: new Int32Array(count),
        kvBlocksTotal: 0,
      };
    },
  };
}
