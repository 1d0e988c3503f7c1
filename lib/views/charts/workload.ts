import type * as PlotModule from '@observablehq/plot';
import type { WorkloadStatistics } from '../../workload/statistics';

type Plot = typeof PlotModule;

export interface LengthPoint {
  readonly series: 'prompt' | 'output';
  readonly tokens: number;
  readonly share: number;
}

/** Points of the two distribution functions, both in one list. */
export function lengthPoints(statistics: WorkloadStatistics): readonly LengthPoint[] {
  const points = (series: LengthPoint['series'], { ecdf }: { readonly ecdf: Float64Array }) =>
    Array.from(ecdf, (tokens, i) => ({ series, tokens, share: (i + 1) / ecdf.length }));
  return [
    ...points('prompt', statistics.promptTokens),
    ...points('output', statistics.outputTokens),
  ];
}

/** Share of the requests of at most so many tokens. */
export function lengthsPlot(
  Plot: Plot,
  statistics: WorkloadStatistics,
  width: number,
): PlotModule.PlotOptions {
  return {
    style: { background: 'none', color: 'var(--ink)' },
    width,
    height: 200,
    marginLeft: 44,
    x: { type: 'log', label: 'tokens', grid: true, ticks: 6, tickFormat: '~s' },
    y: { label: 'share of the requests (%)', percent: true, domain: [0, 100], ticks: 5 },
    color: { domain: ['prompt', 'output'], range: ['var(--series-1)', 'var(--series-2)'] },
    marks: [
      Plot.line(lengthPoints(statistics), {
        x: 'tokens',
        y: 'share',
        stroke: 'series',
        curve: 'step-after',
        strokeWidth: 2,
      }),
      Plot.ruleY([0]),
    ],
  };
}

export interface RateBin {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly ratePerSecond: number;
}

export function rateBins({ arrivals }: WorkloadStatistics): readonly RateBin[] {
  const { rates, binSeconds } = arrivals;
  return Array.from(rates, (ratePerSecond, i) => ({
    fromSeconds: i * binSeconds,
    toSeconds: (i + 1) * binSeconds,
    ratePerSecond,
  }));
}

/** Arrivals per second over time. */
export function ratesPlot(
  Plot: Plot,
  statistics: WorkloadStatistics,
  width: number,
): PlotModule.PlotOptions {
  return {
    style: { background: 'none', color: 'var(--ink)' },
    width,
    height: 160,
    marginLeft: 44,
    x: { label: 'time (s)' },
    y: { label: statistics.programs ? 'programs /s' : 'requests /s', grid: true, ticks: 4 },
    marks: [
      Plot.rectY(rateBins(statistics), {
        x1: 'fromSeconds',
        x2: 'toSeconds',
        y: 'ratePerSecond',
        fill: 'var(--series-1)',
        insetRight: 0.5,
      }),
      Plot.ruleY([0]),
    ],
  };
}
