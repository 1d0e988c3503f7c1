import type * as PlotModule from '@observablehq/plot';
import type { Spread, SweepPoint } from '../../serving/sweep-point';
import type { SweepResult } from '../../serving/sweep-result';
import { formatCount, formatPercent, formatSeconds } from '../format';

export interface SweepSeries {
  readonly name: string;
  readonly result: SweepResult;
}

interface Measure {
  readonly title: string;
  readonly label: string;
  readonly of: (point: SweepPoint) => Spread;
  readonly format: (value: number) => string;
  /** Where the SLO lies at a rate. */
  readonly slo: (result: SweepResult, rate: number) => number;
  readonly sloLabel: (result: SweepResult) => string;
  readonly isLog?: boolean;
}

export const SWEEP_MEASURES = {
  goodput: {
    title: 'goodput',
    label: 'goodput (requests/s within the SLO), simulated',
    of: ({ goodputPerSecond }) => goodputPerSecond,
    format: (value) => `${formatCount(value)} /s`,
    slo: ({ slo }, rate) => slo.attainment * rate,
    sloLabel: ({ slo }) => `${formatPercent(slo.attainment)} of what arrives`,
  },
  attainment: {
    title: 'SLO attainment',
    label: 'requests within the SLO (share), simulated',
    of: ({ sloAttainment }) => sloAttainment,
    format: formatPercent,
    slo: ({ slo }) => slo.attainment,
    sloLabel: ({ slo }) => `SLO: ${formatPercent(slo.attainment)}`,
  },
  'ttft-p90': {
    title: 'TTFT p90',
    label: 'time to first token, p90, simulated',
    of: ({ ttftP90Seconds }) => ttftP90Seconds,
    format: formatSeconds,
    slo: ({ slo }) => slo.ttftSeconds,
    sloLabel: ({ slo }) => `SLO: ${formatSeconds(slo.ttftSeconds)}`,
    isLog: true,
  },
  'tpot-p90': {
    title: 'TPOT p90',
    label: 'time per output token, p90, simulated',
    of: ({ tpotP90Seconds }) => tpotP90Seconds,
    format: formatSeconds,
    slo: ({ slo }) => slo.tpotSeconds,
    sloLabel: ({ slo }) => `SLO: ${formatSeconds(slo.tpotSeconds)}`,
    isLog: true,
  },
} as const satisfies Record<string, Measure>;
export type SweepMeasure = keyof typeof SWEEP_MEASURES;

/** Points of grid and search together, ascending. */
export function allPoints({ points, searched }: SweepResult): readonly SweepPoint[] {
  return [...points, ...searched].sort((a, b) => a.ratePerSecond - b.ratePerSecond);
}

/** What the chart says, for those who do not see it. */
export function sweepLabel(series: readonly SweepSeries[], measure: SweepMeasure): string {
  const each = series.map(({ name, result }) => {
    const unstable = allPoints(result).filter(({ unstableSeeds }) => unstableSeeds > 0).length;
    return `${name}: ${maximumText(result)}${unstable > 0 ? `, ${unstable} unstable rates` : ''}`;
  });
  return `${SWEEP_MEASURES[measure].title} against rate, simulated: ${each.join('; ')}`;
}

/** The highest rate that holds, in words. */
export function maximumText({ maximum, searched, points }: SweepResult): string {
  if (maximum === undefined) return 'no search for the highest rate';
  if (maximum.ratePerSecond === 0) {
    const least = Math.min(...[...searched, ...points].map(({ ratePerSecond }) => ratePerSecond));
    return `no rate down to ${formatCount(least)} /s holds the SLO`;
  }
  const fails =
    maximum.failsAtPerSecond === Infinity
      ? 'no rate that fails was found'
      : `not at ${formatCount(maximum.failsAtPerSecond)} /s`;
  return `holds the SLO up to ${formatCount(maximum.ratePerSecond)} /s, ${fails}`;
}

const seriesColor = (i: number) => `var(--series-${(i % 8) + 1})`;
const DASHES = ['none', '6 3', '2 3', '8 3 2 3', '1 4', '10 4', '4 2', '3 6'];

/** Mean lines with bands from the least to the most seed; unstable rates are crosses. */
export function sweepChart(
  Plot: typeof PlotModule,
  series: readonly SweepSeries[],
  measure: SweepMeasure,
  width: number,
): PlotModule.PlotOptions {
  const { of, format, slo, sloLabel, label, ...rest }: Measure = SWEEP_MEASURES[measure];
  const isLog = rest.isLog === true;
  const rowsOf = ({ result }: SweepSeries) =>
    allPoints(result).flatMap((point) => {
      const { mean, least, most } = of(point);
      if (!Number.isFinite(mean) || (isLog && !(least > 0))) return [];
      return [{ rate: point.ratePerSecond, mean, least, most, unstable: point.unstableSeeds > 0 }];
    });
  const [first] = series;
  const rates = series.flatMap((each) => rowsOf(each).map(({ rate }) => rate));
  const ends = [Math.min(...rates), Math.max(...rates)];
  const sloLine =
    first === undefined ? [] : ends.map((rate) => ({ rate, value: slo(first.result, rate) }));
  return {
    width,
    height: 280,
    marginLeft: 60,
    marginBottom: 38,
    style: { background: 'none', color: 'var(--ink)' },
    x: { label: 'arrivals (requests/s)', grid: true, ticks: Math.min(10, width / 70) },
    y: {
      label,
      grid: true,
      type: isLog ? 'log' : 'linear',
      ticks: 5,
      tickFormat: format,
      ...(measure === 'attainment' ? { domain: [0, 1] } : isLog ? {} : { zero: true }),
    },
    marks: [
      Plot.line(sloLine, {
        x: 'rate',
        y: 'value',
        stroke: 'var(--ink-soft)',
        strokeDasharray: '4 3',
      }),
      Plot.text(sloLine.slice(-1), {
        x: 'rate',
        y: 'value',
        text: () => (first === undefined ? '' : sloLabel(first.result)),
        textAnchor: 'end',
        dx: -14,
        dy: -7,
        fill: 'var(--ink-soft)',
      }),
      ...series.flatMap((each, i) => {
        const rows = rowsOf(each);
        const color = seriesColor(i);
        const most = each.result.maximum?.ratePerSecond ?? 0;
        return [
          Plot.areaY(rows, { x: 'rate', y1: 'least', y2: 'most', fill: color, fillOpacity: 0.18 }),
          Plot.line(rows, {
            x: 'rate',
            y: 'mean',
            stroke: color,
            strokeWidth: 2,
            strokeDasharray: DASHES[i % DASHES.length] ?? 'none',
          }),
          Plot.dot(rows, {
            x: 'rate',
            y: 'mean',
            r: (row: { unstable: boolean }) => (row.unstable ? 4 : 2.5),
            symbol: (row: { unstable: boolean }) => (row.unstable ? 'times' : 'circle'),
            stroke: color,
            fill: color,
          }),
          ...(most > 0 ? [Plot.ruleX([most], { stroke: color, strokeDasharray: '1 3' })] : []),
        ];
      }),
    ],
    symbol: { type: 'identity' },
    r: { type: 'identity' },
  };
}
