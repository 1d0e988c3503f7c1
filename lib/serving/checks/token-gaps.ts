import { computes } from '../lane-roles';
import type { ServeResult } from '../types';

/**
 * Gaps between the tokens of each request, in seconds, from the timeline of the one lane that decodes:
 * who has its first token gets one from every iteration with decodes that starts after it, until it is
 * complete. So it holds for strategies that decode all at once, where nothing was preempted.
 *
 * @throws Error where the iterations of a request are not one per token
 */
export function tokenGaps({
  lanes,
  requests,
}: Pick<ServeResult, 'lanes' | 'requests'>): readonly (readonly number[])[] {
  const decoding = lanes.filter(
    (lane) => computes(lane) && lane.decodeTokens.some((tokens) => tokens > 0),
  );
  const lane = decoding[0];
  if (lane === undefined || decoding.length > 1)
    throw new Error(`invalid lanes that decode: ${decoding.length} (expected 1)`);
  const { startSeconds, durationSeconds, decodeTokens } = lane;
  const starts: number[] = [];
  const ends: number[] = [];
  startSeconds.forEach((start, i) => {
    if ((decodeTokens[i] as number) === 0) return;
    starts.push(start);
    ends.push(start + (durationSeconds[i] as number));
  });
  return Array.from(requests.outputTokens, (tokens, id) => {
    const first = requests.firstTokenSeconds[id] as number;
    const last = requests.completedSeconds[id] as number;
    if (Number.isNaN(last)) return [];
    // Sums of durations may differ from the times told in the last bits.
    const from = firstAfter(starts, first - 1e-9);
    const to = firstAfter(ends, last + 1e-9);
    if (to - from !== tokens - 1)
      throw new Error(`invalid iterations of request ${id}: ${to - from} (expected ${tokens - 1})`);
    return ends
      .slice(from, to)
      .map((end, i) => end - (i === 0 ? first : (ends[from + i - 1] ?? 0)));
  });
}

/**
 * Share of the requests with their first token in time and nine in ten of their own gaps below a limit;
 * none where something was computed again, since memory is then short and gaps are not told apart.
 */
export function pacedShare(
  result: ServeResult,
  { ttftSeconds, tbtSeconds, gapShare }: PaceLimits,
): number {
  const { arrivalSeconds, firstTokenSeconds } = result.requests;
  if (result.metrics.restarts > 0) return 0;
  const gaps = tokenGaps(result);
  const good = gaps.filter((each, id) => {
    const ttft = (firstTokenSeconds[id] as number) - (arrivalSeconds[id] as number);
    const late = each.filter((gap) => gap > tbtSeconds).length;
    return ttft <= ttftSeconds && late <= (1 - gapShare) * each.length;
  });
  return good.length / gaps.length;
}

export interface PaceLimits {
  readonly ttftSeconds: number;
  readonly tbtSeconds: number;
  /** Share of a request's gaps that must be below the limit. */
  readonly gapShare: number;
}

/** Place of the first value above a limit. */
function firstAfter(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Largest of the exponential moving averages of gaps, each weighted (1 - 2 / (span + 1))^age. */
export function largestAverage(gaps: readonly number[], span: number): number {
  const keep = 1 - 2 / (span + 1);
  let sum = 0;
  let weights = 0;
  let largest = 0;
  for (const gap of gaps) {
    sum = keep * sum + gap;
    weights = keep * weights + 1;
    largest = Math.max(largest, sum / weights);
  }
  return largest;
}
