import type { RequestColumns } from '../../serving/types';

/** Requests that a lane had at one instant. */
export interface RequestsAt {
  readonly running: readonly number[];
  readonly waiting: readonly number[];
  /** Beyond those that are named. */
  readonly more: number;
}

/**
 * The first `limit` requests that a lane computed, or that waited to be prefilled there, at an
 * instant; by the columns, so that time between two lanes counts for the one that comes.
 */
export function requestsAt(
  requests: RequestColumns,
  lane: number,
  seconds: number,
  limit: number,
): RequestsAt {
  const running: number[] = [];
  const waiting: number[] = [];
  let total = 0;
  const { arrivalSeconds, firstScheduledSeconds, firstTokenSeconds, completedSeconds } = requests;
  for (let i = 0; i < arrivalSeconds.length; i++) {
    if ((arrivalSeconds[i] as number) > seconds) break;
    if ((completedSeconds[i] as number) <= seconds || requests.refused[i] === 1) continue;
    const isPrefilled = (firstTokenSeconds[i] as number) <= seconds;
    if ((isPrefilled ? requests.decodeLane[i] : requests.prefillLane[i]) !== lane) continue;
    total++;
    if (running.length + waiting.length >= limit) continue;
    if ((firstScheduledSeconds[i] as number) <= seconds) running.push(i);
    else waiting.push(i);
  }
  return { running, waiting, more: total - running.length - waiting.length };
}

/** Requests that stand out of a run, by what a reader would ask about. */
export const STANDOUTS = {
  'slowest first token': ({ firstTokenSeconds, arrivalSeconds }: RequestColumns, i: number) =>
    (firstTokenSeconds[i] as number) - (arrivalSeconds[i] as number),
  'slowest end to end': ({ completedSeconds, arrivalSeconds }: RequestColumns, i: number) =>
    (completedSeconds[i] as number) - (arrivalSeconds[i] as number),
  'longest stall': ({ maxStallSeconds }: RequestColumns, i: number) => maxStallSeconds[i] as number,
  'most restarts': ({ restarts }: RequestColumns, i: number) => restarts[i] as number,
} as const;
export type Standout = keyof typeof STANDOUTS;

/** The request that stands out most, the first of equals; undefined where none does. */
export function standout(requests: RequestColumns, name: Standout): number | undefined {
  let best: number | undefined;
  let largest = 0;
  for (let i = 0; i < requests.arrivalSeconds.length; i++) {
    const value = STANDOUTS[name](requests, i);
    if (value > largest) {
      largest = value;
      best = i;
    }
  }
  return best;
}
