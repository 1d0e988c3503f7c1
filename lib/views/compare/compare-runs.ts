import type { RequestColumns, ServeResult } from '../../serving/types';
import type { CompareParams } from '../../spec/kinds/views';
import { type CompareMeasure, measureOf } from './measures';

/** Two runs that a reader holds beside each other, in the order of the inputs. */
export interface RunPair {
  readonly names: readonly [string, string];
  readonly runs: readonly [ServeResult, ServeResult];
}

/** Why two runs are not of one trace, with the first request that differs; undefined where they are. */
export function pairProblem({ names, runs }: RunPair): string | undefined {
  const [a, b] = runs.map(({ requests }) => requests) as [RequestColumns, RequestColumns];
  const counts = [a.arrivalSeconds.length, b.arrivalSeconds.length] as const;
  if (counts[0] !== counts[1])
    return `the runs are not of one trace: ${names[0]} has ${counts[0]} requests, ${names[1]} has ${counts[1]}`;
  const columns = [
    ['arrives at', 'arrivalSeconds'],
    ['has prompt tokens', 'promptTokens'],
    ['has output tokens', 'outputTokens'],
  ] as const;
  for (let i = 0; i < counts[0]; i++) {
    for (const [what, column] of columns) {
      if (a[column][i] === b[column][i]) continue;
      return `the runs are not of one trace: request ${i} ${what} ${a[column][i]} in ${names[0]} and ${b[column][i]} in ${names[1]}`;
    }
  }
  return undefined;
}

/** One request in both runs. */
export interface Difference {
  readonly id: number;
  readonly first: number;
  readonly second: number;
  /** Second less first, in seconds: below 0 the second run is the better one. NaN where either is. */
  readonly change: number;
}

/** What a change of run did to the requests. */
export interface Differences {
  readonly rows: readonly Difference[];
  readonly gained: number;
  readonly lost: number;
  readonly equal: number;
  /** Requests that only one of the two runs brought so far. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Median over requests of second / first. */
  readonly medianRatio: number;
}

/** Below this a change is rounding, not a difference. */
const SAME_SECONDS = 1e-9;

/** Every request's figure in both runs, and who gained. */
export function differences({ runs }: RunPair, measure: CompareMeasure): Differences {
  const [a, b] = runs;
  const rows: Difference[] = [];
  const ratios: number[] = [];
  const counts = { gained: 0, lost: 0, equal: 0, onlyFirst: 0, onlySecond: 0 };
  for (let id = 0; id < a.requests.arrivalSeconds.length; id++) {
    const first = measureOf(a.requests, measure, id);
    const second = measureOf(b.requests, measure, id);
    const change = second - first;
    rows.push({ id, first, second, change });
    if (Number.isNaN(change)) {
      if (!Number.isNaN(first)) counts.onlyFirst++;
      else if (!Number.isNaN(second)) counts.onlySecond++;
      continue;
    }
    if (first > 0) ratios.push(second / first);
    if (Math.abs(change) <= SAME_SECONDS) counts.equal++;
    else if (change < 0) counts.gained++;
    else counts.lost++;
  }
  ratios.sort((x, y) => x - y);
  const { length } = ratios;
  const medianRatio =
    length === 0
      ? Number.NaN
      : ((ratios[(length - 1) >> 1] as number) + (ratios[length >> 1] as number)) / 2;
  return { rows, ...counts, medianRatio };
}

/** Requests in the order that the reader asks for; what has no change comes last. */
export function sortDifferences(
  rows: readonly Difference[],
  order: CompareParams['order'],
): readonly Difference[] {
  if (order === 'request') return rows;
  const sign = order === 'lost' ? -1 : 1;
  const key = ({ change }: Difference) => (Number.isNaN(change) ? Infinity : sign * change);
  return [...rows].sort((a, b) => (key(a) === key(b) ? a.id - b.id : key(a) - key(b)));
}

/** At most `limit` requests, evenly over the trace, with a figure in both runs. */
export function thinned(rows: readonly Difference[], limit: number): readonly Difference[] {
  const present = rows.filter(({ change }) => !Number.isNaN(change));
  const stride = Math.max(1, Math.ceil(present.length / limit));
  return present.filter((_, i) => i % stride === 0);
}
