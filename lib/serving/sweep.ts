import type { ServeParams } from '../spec/kinds/serve';
import type { Workload } from '../workload/types';
import { simulate } from './core/simulation';
import { createRateSearch } from './rate-search';
import { foldPoint, type SweepPoint, sweepRun } from './sweep-point';
import type { CostModel } from './types';

/** One strategy under a load that can be turned up. */
export interface SweepSubject {
  readonly params: ServeParams;
  readonly costModel: CostModel;
  readonly workloadAt: (ratePerSecond: number, repeat: number) => Workload;
  /** How often each rate is run: several tell a difference from an accident of the arrivals. */
  readonly seeds: number;
}

/** Runs every seed at one rate. @throws RangeError for a rate that is not above 0 */
export function sweepPoint(subject: SweepSubject, ratePerSecond: number): SweepPoint {
  const { params, costModel, workloadAt, seeds } = subject;
  const runs = Array.from({ length: seeds }, (_, repeat) =>
    sweepRun(simulate(params, workloadAt(ratePerSecond, repeat), costModel).metrics),
  );
  return foldPoint(ratePerSecond, runs, params.slo);
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

/**
 * The highest rate that holds the SLO, by doubling and then bisection down to `tolerance` of the
 * rate.
 *
 * @param start rate to begin with, above 0
 */
export function maximumRate(subject: SweepSubject, start = 1, tolerance = 0.02): MaximumRate {
  const points: SweepPoint[] = [];
  const search = createRateSearch(start, tolerance);
  for (let rate = search.next(); rate !== undefined; rate = search.next()) {
    const point = sweepPoint(subject, rate);
    points.push(point);
    search.tell(rate, point.holds);
  }
  points.sort((a, b) => a.ratePerSecond - b.ratePerSecond);
  return { ...search.found(), points };
}
