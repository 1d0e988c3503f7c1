import type { ServeParams } from '../spec/kinds/serve';
import type { SweepParams } from '../spec/kinds/sweep';
import type { SweepPoint } from './sweep-point';
import type { CostModel } from './types';

/** Goodput against rate of one strategy, whole or as far as it has come. */
export interface SweepResult {
  /** Ascending; while the sweep is under way only rates with a run, some with fewer seeds. */
  readonly points: readonly SweepPoint[];
  /** Rates that the search tried besides, ascending. */
  readonly searched: readonly SweepPoint[];
  /** What the search found; undefined where there was none, or before its end. */
  readonly maximum:
    | { readonly ratePerSecond: number; readonly failsAtPerSecond: number }
    | undefined;
  readonly slo: ServeParams['slo'];
  /** Rate of the load as it is. */
  readonly ownRatePerSecond: number;
  readonly requestsPerRun: number;
  readonly seeds: number;
  readonly runs: number;
  readonly seed: number;
  readonly costModel: Pick<CostModel, 'kind' | 'label' | 'source'>;
  readonly notes: readonly string[];
}

/**
 * The rates of a sweep, evenly spaced.
 *
 * @param ownRate requests per second of the load as it is
 * @throws Error where the first is not below the last
 */
export function ratesOf(params: SweepParams, ownRate: number): readonly number[] {
  const least = params.leastRatePerSecond || ownRate / 10;
  const most = params.mostRatePerSecond || ownRate * 2;
  if (!(least < most)) {
    throw new Error(
      `invalid leastRatePerSecond: ${least} (expected below mostRatePerSecond, ${most})`,
    );
  }
  const step = (most - least) / (params.points - 1);
  return Array.from({ length: params.points }, (_, i) => least + i * step);
}
