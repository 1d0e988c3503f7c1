import { quantileSorted } from '../stats/percentiles';
import type { ProgramMetrics, RequestColumns } from './types';

/** Time of each program from the first send of its requests to the last completion. */
export function programMetrics(
  programIds: Int32Array,
  requests: Pick<RequestColumns, 'arrivalSeconds' | 'completedSeconds'>,
): ProgramMetrics {
  const sent = new Map<number, number>();
  const ended = new Map<number, number>();
  programIds.forEach((program, i) => {
    const start = requests.arrivalSeconds[i] as number;
    // A request that was never sent or never completed leaves its program unfinished.
    const end = requests.completedSeconds[i] as number;
    if (!Number.isNaN(start)) sent.set(program, Math.min(start, sent.get(program) ?? Infinity));
    const last = ended.get(program) ?? -Infinity;
    ended.set(program, Number.isNaN(end) || Number.isNaN(last) ? Number.NaN : Math.max(end, last));
  });
  const seconds = Float64Array.from(ended, ([program, end]) => end - (sent.get(program) ?? NaN))
    .filter((each) => !Number.isNaN(each))
    .sort();
  const sum = seconds.reduce((a, b) => a + b, 0);
  return {
    programs: ended.size,
    completed: seconds.length,
    completionSeconds: {
      mean: seconds.length === 0 ? Number.NaN : sum / seconds.length,
      p50: quantileSorted(seconds, 0.5),
      p95: quantileSorted(seconds, 0.95),
    },
  };
}
