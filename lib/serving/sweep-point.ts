import type { ServeParams } from '../spec/kinds/serve';
import type { ServeMetrics } from './types';

export interface Spread {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** What a sweep keeps of one simulation. */
export interface SweepRun {
  readonly requests: number;
  readonly goodputPerSecond: number;
  readonly sloAttainment: number;
  readonly ttftP90Seconds: number;
  readonly tpotP90Seconds: number;
  /** Refused, or not completed by the horizon: they count as violations. */
  readonly starved: number;
  readonly isUnstable: boolean;
}

/** What a rate of arrivals gives, over all seeds. */
export interface SweepPoint {
  readonly ratePerSecond: number;
  readonly goodputPerSecond: Spread;
  readonly sloAttainment: Spread;
  readonly ttftP90Seconds: Spread;
  readonly tpotP90Seconds: Spread;
  /** Seeds that are in this point; fewer than asked for while a sweep is under way. */
  readonly seeds: number;
  /** Requests that were refused or never completed, of all seeds: violations. */
  readonly starvedRequests: number;
  /** Seeds whose queue grew without bound: their figures depend on how long the trace is. */
  readonly unstableSeeds: number;
  /** Whether the SLO holds at the mean attainment and no seed is unstable. */
  readonly holds: boolean;
}

export function sweepRun(metrics: ServeMetrics): SweepRun {
  return {
    requests: metrics.requests,
    goodputPerSecond: metrics.goodputPerSecond,
    sloAttainment: metrics.sloAttainment,
    ttftP90Seconds: metrics.ttftSeconds.p90,
    tpotP90Seconds: metrics.tpotSeconds.p90,
    starved: metrics.requests - metrics.completed,
    isUnstable: metrics.unstable,
  };
}

function spread(values: readonly number[]): Spread {
  return {
    mean: values.reduce((a, b) => a + b, 0) / values.length,
    least: Math.min(...values),
    most: Math.max(...values),
  };
}

/**
 * Folds the runs of one rate, in the order of their seeds: sums of floats depend on it.
 *
 * @throws RangeError without a run
 */
export function foldPoint(
  ratePerSecond: number,
  runs: readonly SweepRun[],
  slo: Pick<ServeParams['slo'], 'attainment'>,
): SweepPoint {
  if (runs.length === 0) throw new RangeError('invalid seeds: none (expected at least 1)');
  const over = (pick: (run: SweepRun) => number) => spread(runs.map(pick));
  const sloAttainment = over((run) => run.sloAttainment);
  const unstableSeeds = runs.filter(({ isUnstable }) => isUnstable).length;
  return {
    ratePerSecond,
    goodputPerSecond: over((run) => run.goodputPerSecond),
    sloAttainment,
    ttftP90Seconds: over((run) => run.ttftP90Seconds),
    tpotP90Seconds: over((run) => run.tpotP90Seconds),
    seeds: runs.length,
    starvedRequests: runs.reduce((sum, { starved }) => sum + starved, 0),
    unstableSeeds,
    holds: unstableSeeds === 0 && sloAttainment.mean >= slo.attainment,
  };
}
