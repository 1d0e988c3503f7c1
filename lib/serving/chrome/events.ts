import type { TimelineLane } from '../types';

/** Nanoseconds, so that rounding can never make two iterations of one track overlap. */
export const toNanoseconds = (seconds: number): number => Math.round(seconds * 1e9);
/** Microseconds with three decimals, as the format wants them. */
export const micros = (nanoseconds: number): string => (nanoseconds / 1000).toFixed(3);

export const processName = (pid: number, name: string): string =>
  `{"ph":"M","name":"process_name","pid":${pid},"tid":0,"args":{"name":${JSON.stringify(name)}}},\n` +
  `{"ph":"M","name":"process_sort_index","pid":${pid},"tid":0,"args":{"sort_index":${pid}}}`;

/** A slice that stands for one row of a lane. */
export interface Slice {
  readonly start: number;
  readonly duration: number;
}

/**
 * The rows of a lane as slices that never overlap: a row begins no earlier than the one before ends.
 */
export function* slices(lane: TimelineLane): Generator<Slice> {
  let freeFrom = 0;
  for (let i = 0; i < lane.startSeconds.length; i++) {
    const seconds = lane.startSeconds[i] as number;
    const start = Math.max(freeFrom, toNanoseconds(seconds));
    const end = toNanoseconds(seconds + (lane.durationSeconds[i] as number));
    const duration = Math.max(0, end - start);
    freeFrom = start + duration;
    yield { start, duration };
  }
}

/** The last row that has begun by an instant; -1 for none. */
export function rowBegunBy({ startSeconds }: TimelineLane, seconds: number): number {
  let low = 0;
  let high = startSeconds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((startSeconds[middle] as number) <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
