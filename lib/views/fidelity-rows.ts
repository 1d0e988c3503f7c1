import type { RunComparison } from '../run/check-service';
import { tpotSeconds } from '../serving/metrics';
import type { Percentiles } from '../serving/types';
import { summarize } from '../stats/percentiles';

export type Latency = 'ttft' | 'tpot' | 'e2e';

export const LATENCIES: Readonly<Record<Latency, string>> = {
  ttft: 'time to first token (TTFT)',
  tpot: 'time per output token (TPOT)',
  e2e: 'end-to-end latency (E2E)',
};

/** One request, measured and simulated, in seconds from its arrival. */
export interface LatencyPair {
  readonly request: number;
  readonly measured: number;
  readonly simulated: number;
}

/** Every request that has the latency: one of a single token has no TPOT. */
export function latencyPairs(comparison: RunComparison, latency: Latency): readonly LatencyPair[] {
  const { arrivalSeconds, outputTokens } = comparison;
  const latencyOf = (times: RunComparison['measured'], i: number): number => {
    const arrival = arrivalSeconds[i] as number;
    const first = times.firstTokenSeconds[i] as number;
    const last = times.lastTokenSeconds[i] as number;
    if (latency === 'ttft') return first - arrival;
    return latency === 'e2e' ? last - arrival : tpotSeconds(first, last, outputTokens[i] as number);
  };
  return Array.from(arrivalSeconds.keys()).flatMap((i) => {
    const measured = latencyOf(comparison.measured, i);
    const simulated = latencyOf(comparison.simulated, i);
    return Number.isNaN(measured) || Number.isNaN(simulated)
      ? []
      : [{ request: i, measured, simulated }];
  });
}

export interface QuantileRow {
  readonly name: string;
  readonly measured: number;
  readonly simulated: number;
  readonly errorPct: number;
}

/** Mean and quantiles of both sides, with the signed error. */
export function quantileRows(pairs: readonly LatencyPair[]): readonly QuantileRow[] {
  const of = (side: 'measured' | 'simulated'): Percentiles =>
    summarize(Float64Array.from(pairs, (pair) => pair[side]));
  const measured = of('measured');
  const simulated = of('simulated');
  return (['mean', 'p50', 'p90', 'p99', 'max'] as const).map((name) => ({
    name,
    measured: measured[name],
    simulated: simulated[name],
    errorPct: (simulated[name] / measured[name] - 1) * 100,
  }));
}

/** Every request with all three latencies, as CSV. */
export function comparisonCsv(comparison: RunComparison): string {
  const all = (['ttft', 'tpot', 'e2e'] as const).map(
    (latency) => new Map(latencyPairs(comparison, latency).map((pair) => [pair.request, pair])),
  );
  const lines = Array.from(comparison.arrivalSeconds, (arrival, i) =>
    [
      i,
      arrival,
      ...all.flatMap((pairs) => [pairs.get(i)?.measured ?? '', pairs.get(i)?.simulated ?? '']),
    ].join(','),
  );
  const header =
    'request,arrival_s,ttft_measured_s,ttft_simulated_s,tpot_measured_s,tpot_simulated_s,e2e_measured_s,e2e_simulated_s';
  return `${[header, ...lines].join('\n')}\n`;
}
