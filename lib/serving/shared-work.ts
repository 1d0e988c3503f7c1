import type { TimelineLane } from './types';

/** Iterations of a lane, and how many seconds of each its arithmetic and memory are busy at their peaks. */
export interface LaneWork {
  readonly lane: Pick<TimelineLane, 'startSeconds' | 'durationSeconds'>;
  readonly busySeconds: Float64Array;
}

/**
 * Busy seconds of one accelerator that two lanes share: where both run, what they need together, and
 * never more than the time there is.
 */
export function sharedWork(first: LaneWork, second: LaneWork): number {
  const cursors = [first, second].map(({ lane, busySeconds }) => {
    let i = 0;
    const start = () => lane.startSeconds[i] ?? Infinity;
    const end = () => start() + (lane.durationSeconds[i] ?? 0);
    return {
      /** Skips what has ended; gives the busy share now, and when that changes. */
      at(now: number): { readonly share: number; readonly until: number } {
        while (end() <= now) i++;
        if (start() > now) return { share: 0, until: start() };
        return {
          share: (busySeconds[i] as number) / (lane.durationSeconds[i] as number),
          until: end(),
        };
      },
    };
  });
  let total = 0;
  for (let now = 0; now < Infinity; ) {
    const pieces = cursors.map((cursor) => cursor.at(now));
    const until = Math.min(...pieces.map((piece) => piece.until));
    const share = pieces.reduce((sum, piece) => sum + piece.share, 0);
    if (share > 0) total += Math.min(1, share) * (until - now);
    now = until;
  }
  return total;
}
