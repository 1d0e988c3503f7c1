import type { ServeParams } from '../spec/kinds/serve';
import type { ServeResult } from './types';

const least = (values: Iterable<number>): number => {
  let best = Infinity;
  for (const value of values) if (value < best) best = value;
  return best;
};

/** What a reader should know of a run that says nothing by its figures: nothing in it, nothing done, nothing in time. */
export function outcomeNotes(
  { slo, horizonSeconds }: ServeParams,
  { metrics, requests }: Pick<ServeResult, 'metrics' | 'requests'>,
): readonly string[] {
  if (metrics.requests === 0) return ['the workload has no requests: nothing was run'];
  if (metrics.completed === 0) {
    if (metrics.refused === metrics.requests) return [];
    return [
      `no request ended within the horizon of ${horizonSeconds} s: raise horizonSeconds, or look for what is too slow`,
    ];
  }
  if (metrics.sloAttainment > 0) return [];
  const { firstTokenSeconds, arrivalSeconds } = requests;
  const first = least(firstTokenSeconds.map((at, i) => at - (arrivalSeconds[i] as number)));
  return first > slo.ttftSeconds
    ? [
        `no request met the SLO: the fastest first token came after ${Number(first.toPrecision(3))} s, and ${slo.ttftSeconds} s are asked for`,
      ]
    : ['no request met the SLO: look at its time per token'];
}
