import { LIMIT_KINDS, type LimitKind, type Workload } from '../workload/types';
import type { RequestColumns } from './types';

/** Requests with time limits: what was in time, a group only as a whole. */
export interface LimitMetrics {
  /** Share of the requests that kept their limits, those of their group included. */
  readonly metShare: number;
  readonly metShareByKind: Readonly<Partial<Record<LimitKind, number>>>;
  /** Prompt and output tokens of those, per second between the first and the last sending. */
  readonly goodTokensPerSecond: number;
}

type Outcomes = Pick<RequestColumns, 'arrivalSeconds' | 'firstTokenSeconds' | 'completedSeconds'>;

/** What never completed is late. */
export function limitMetrics(
  {
    limits,
    promptTokens,
    outputTokens,
  }: Pick<Workload, 'limits' | 'promptTokens' | 'outputTokens'>,
  { arrivalSeconds, firstTokenSeconds, completedSeconds }: Outcomes,
): LimitMetrics | undefined {
  if (limits === undefined) return undefined;
  const late = new Set<number>();
  let first = Infinity;
  let last = -Infinity;
  arrivalSeconds.forEach((sent, id) => {
    if (!Number.isNaN(sent)) {
      first = Math.min(first, sent);
      last = Math.max(last, sent);
    }
    const isMet =
      (firstTokenSeconds[id] as number) - sent <= (limits.firstTokenSeconds[id] as number) &&
      (completedSeconds[id] as number) - sent <= (limits.lastTokenSeconds[id] as number);
    if (!isMet) late.add(limits.groupIds[id] as number);
  });
  const met = LIMIT_KINDS.map(() => 0);
  const all = LIMIT_KINDS.map(() => 0);
  let tokens = 0;
  limits.kinds.forEach((kind, id) => {
    all[kind] = (all[kind] as number) + 1;
    if (late.has(limits.groupIds[id] as number)) return;
    met[kind] = (met[kind] as number) + 1;
    tokens += (promptTokens[id] as number) + (outputTokens[id] as number);
  });
  const share = (some: number, of: number) => (of === 0 ? Number.NaN : some / of);
  return {
    metShare: share(
      met.reduce((a, b) => a + b, 0),
      arrivalSeconds.length,
    ),
    metShareByKind: Object.fromEntries(
      LIMIT_KINDS.flatMap((kind, i) =>
        all[i] === 0 ? [] : [[kind, share(met[i] as number, all[i] as number)]],
      ),
    ),
    goodTokensPerSecond: last > first ? tokens / (last - first) : Number.NaN,
  };
}
