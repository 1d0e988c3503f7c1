import type { ServeParams } from '../spec/kinds/serve';
import type { Workload } from '../workload/types';
import { simulate } from './core/simulation';
import type { CostModel, ServeMetrics } from './types';

/** One strategy under a load that can be turned up. */
export interface SweepSubject {
  readonly params: ServeParams;
  readonly costModel: CostModel;
  readonly workloadAt: (ratePerSecond: number, seed: number) => Workload;
  /** Several seeds tell a difference from an accident of the arrivals. */
  readonly seeds: readonly number[];
}

export interface Spread {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** What a rate of arrivals gives, over all seeds. */
export interface SweepPoint {
  readonly ratePerSecond: number;
  readonly goodputPerSecond: Spread;
  readonly sloAttainment: Spread;
  readonly ttftP90Seconds: Spread;
  readonly tpotP90Seconds: Spread;
  /** Seeds whose queue grew without bound: their figures depend on how long the trace is. */
  readonly unstableSeeds: number;
  /** Whether the SLO holds at the mean attainment and no seed is unstable. */
  readonly holds: boolean;
}

function spread(values: readonly number[]): Spread {
  return {
    mean: values.reduce((a, b) => a + b, 0) / values.length,
    least: Math.min(...values),
    most: Math.max(...values),
  };
}

/** Runs every seed at one rate. @throws RangeError for a rate that is not above 0 */
export function sweepPoint(subject: SweepSubject, ratePerSecond: number): SweepPoint {
  if (!(ratePerSecond > 0) || ratePerSecond === Infinity)
    throw new RangeError(`invalid rate: ${ratePerSecond} /s (expected above 0)`);
  if (subject.seeds.length === 0) throw new RangeError('invalid seeds: none (expected at least 1)');
  const { params, costModel } = subject;
  const runs: readonly ServeMetrics[] = subject.seeds.map(
    (seed) => simulate(params, subject.workloadAt(ratePerSecond, seed), costModel).metrics,
  );
  const over = (pick: (metrics: ServeMetrics) => number) => spread(runs.map(pick));
  const sloAttainment = over((metrics) => metrics.sloAttainment);
  const unstableSeeds = runs.filter(({ unstable }) => unstable).length;
  return {
    ratePerSecond,
    goodputPerSecond: over((metrics) => metrics.goodputPerSecond),
    sloAttainment,
    ttftP90Seconds: over((metrics) => metrics.ttftSeconds.p90),
    tpotP90Seconds: over((metrics) => metrics.tpotSeconds.p90),
    unstableSeeds,
    holds: unstableSeeds === 0 && sloAttainment.mean >= params.slo.attainment,
  };
}

/** Goodput against rate: one point per rate, in order. */
export function sweepRates(
  subject: SweepSubject,
  ratesPerSecond: readonly number[],
): readonly SweepPoint[] {
  return ratesPerSecond.map((rate) => sweepPoint(subject, rate));
}

export interface MaximumRate {
  /** The highest rate seen to hold; 0 when even the lowest does not. */
  readonly ratePerSecond: number;
  /** The lowest rate seen not to hold; Infinity when the search ended before one. */
  readonly failsAtPerSecond: number;
  /** Every rate that was tried, ascending. */
  readonly points: readonly SweepPoint[];
}

/** The search gives up doubling here. */
const MOST_RATE = 1e6;

/**
 * The highest rate that holds the SLO, by doubling and then bisection down to `tolerance` of the
 * rate. It takes attainment to fall with the rate, which seeds blur: the bracket is what was seen.
 *
 * @param start rate to begin with, above 0
 */
export function maximumRate(subject: SweepSubject, start = 1, tolerance = 0.02): MaximumRate {
  if (!(tolerance > 0 && tolerance < 1))
    throw new RangeError(`invalid tolerance: ${tolerance} (expected between 0 and 1)`);
  const points: SweepPoint[] = [];
  const holds = (rate: number): boolean => {
    const point = sweepPoint(subject, rate);
    points.push(point);
    return point.holds;
  };
  let good = 0;
  let bad = Infinity;
  let rate = start;
  if (holds(rate)) {
    while (bad === Infinity && rate < MOST_RATE) {
      good = rate;
      rate *= 2;
      if (!holds(rate)) bad = rate;
    }
  } else {
    // Halving ends where a request alone misses the SLO: no rate can hold it then.
    bad = rate;
    while (good === 0 && rate > start / 2 ** 10) {
      rate /= 2;
      if (holds(rate)) good = rate;
      else bad = rate;
    }
  }
  while (good > 0 && bad < Infinity && bad - good > tolerance * good) {
    rate = (good + bad) / 2;
    if (holds(rate)) good = rate;
    else bad = rate;
  }
  points.sort((a, b) => a.ratePerSecond - b.ratePerSecond);
  return { ratePerSecond: good, failsAtPerSecond: bad, points };
}
