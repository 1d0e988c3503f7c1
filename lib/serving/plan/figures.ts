import type { PlanParams } from '../../spec/kinds/plan';
import type { ServeParams } from '../../spec/kinds/serve';
import { foldPoint, type SweepPoint } from '../sweep-point';
import { averageWatts } from './energy';
import type { PlanRun } from './measure';
import type { PlanFigures } from './result';

/** Runs of one rate, in the order of their seeds. */
export interface RatedRuns {
  readonly ratePerSecond: number;
  readonly runs: readonly PlanRun[];
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

const MILLION = 1e6;
const SECONDS_PER_HOUR = 3600;

/** The figures of a plan from all rates that were tried. */
export function planFigures(
  base: ServeParams,
  params: PlanParams,
  accelerators: number,
  tried: readonly RatedRuns[],
  found: { readonly ratePerSecond: number; readonly failsAtPerSecond: number },
): PlanFigures {
  const points: readonly SweepPoint[] = tried
    .map(({ ratePerSecond, runs }) => foldPoint(ratePerSecond, runs, base.slo))
    .sort((a, b) => a.ratePerSecond - b.ratePerSecond);
  const best = tried.find(({ ratePerSecond }) => ratePerSecond === found.ratePerSecond);
  const point = points.find(({ ratePerSecond }) => ratePerSecond === found.ratePerSecond);
  if (best === undefined || point === undefined) {
    const none = Number.NaN;
    return {
      ...found,
      goodputPerSecond: 0,
      goodputPerAccelerator: 0,
      outputTokensPerSecond: none,
      pricePerMillionTokens: none,
      joulesPerToken: none,
      busyShare: none,
      ttftP90Seconds: none,
      tpotP90Seconds: none,
      points,
    };
  }
  // Per second of arrivals and not of the run: its end, where nothing arrives any more, has no rate.
  const perSecond = (pick: (run: PlanRun) => number): number =>
    mean(best.runs.map((run) => (pick(run) * found.ratePerSecond) / run.requests));
  const tokens = perSecond(({ outputTokens }) => outputTokens);
  const busy = Math.min(
    accelerators,
    perSecond(({ busySeconds }) => busySeconds),
  );
  const goodput = point.sloAttainment.mean * found.ratePerSecond;
  const watts = averageWatts({
    hardware: base.hardware,
    accelerators,
    workAccelerators: Math.min(
      accelerators,
      perSecond(({ workSeconds }) => workSeconds),
    ),
    idlePowerShare: params.idlePowerShare,
  });
  const pricePerSecond = (params.pricePerAcceleratorHour * accelerators) / SECONDS_PER_HOUR;
  return {
    ...found,
    goodputPerSecond: goodput,
    goodputPerAccelerator: goodput / accelerators,
    outputTokensPerSecond: tokens,
    pricePerMillionTokens: (pricePerSecond / tokens) * MILLION,
    joulesPerToken: watts / tokens,
    busyShare: busy / accelerators,
    ttftP90Seconds: point.ttftP90Seconds.mean,
    tpotP90Seconds: point.tpotP90Seconds.mean,
    points,
  };
}
