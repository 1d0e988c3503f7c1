import type * as PlotModule from '@observablehq/plot';
import type { PlotParams } from '../../spec/kinds/views';
import { formatSeconds } from '../format';
import type { ViewInput } from '../view-input';
import { cdfPoints, type Distribution, samplesOf, ttftOverTime } from './cdf';
import { allPoints, SWEEP_MEASURES, sweepChart, sweepLabel } from './sweep';

type Plot = typeof PlotModule;
export type ChartRow = Readonly<Record<string, string | number>>;

export interface Chart {
  readonly rows: readonly ChartRow[];
  readonly options: (
    Plot: Plot,
    width: number,
    domain: readonly [number, number] | undefined,
  ) => PlotModule.PlotOptions;
  readonly description: string;
  /** Its x axis stays as it is: nothing to zoom into. */
  readonly isFixed?: boolean;
}

const DASHES = ['none', '6 3', '2 3', '8 3 2 3', '1 4', '10 4', '4 2', '3 6'];
const DISTRIBUTIONS: Partial<Record<PlotParams['chart'], readonly [Distribution, string]>> = {
  'ttft-cdf': ['ttft', 'time to first token (TTFT)'],
  'tpot-cdf': ['tpot', 'time per output token (TPOT)'],
  'tbt-cdf': ['tbt', 'time between tokens (TBT)'],
  'e2e-cdf': ['e2e', 'end-to-end latency'],
};

function serves(inputs: readonly ViewInput[]) {
  return inputs.flatMap(({ id, result }) =>
    result?.output.kind === 'serve' ? [{ id, value: result.output.value }] : [],
  );
}

const seriesColor = (i: number) => `var(--series-${(i % 8) + 1})`;
const plain = {
  style: { background: 'none', color: 'var(--ink)' },
  marginLeft: 52,
  height: 260,
} as const;

/** What a plot cell draws: rows for the table and the CSV, and options for the chart itself. */
export function makeChart(params: PlotParams, inputs: readonly ViewInput[]): Chart | undefined {
  const distribution = DISTRIBUTIONS[params.chart];
  const results = serves(inputs);
  if (params.chart === 'attention-roofline') return rooflineChart(inputs);
  if (params.chart.endsWith('-against-rate') || results.length === 0)
    return sweepsChart(params.chart, inputs);
  if (distribution !== undefined) {
    const [which, label] = distribution;
    const series = results.map(({ id, value }) => cdfPoints(id, samplesOf(value, which)));
    return {
      rows: series.flat().map((point) => ({ ...point })),
      description: `Cumulative distribution of ${label}, simulated: ${results.map(({ id }) => id).join(', ')}`,
      options: (Plot, width, domain) => ({
        ...plain,
        width,
        x: {
          type: params.logX ? 'log' : 'linear',
          label: `${label}, simulated`,
          tickFormat: (seconds: number) =>
            isRound(seconds) || !params.logX ? formatSeconds(seconds) : '',
          grid: true,
          ...(domain === undefined ? {} : { domain: [...domain] }),
        },
        y: { label: 'share at or below', percent: true, domain: [0, 100], grid: true },
        marks: [
          Plot.ruleY([0]),
          ...series.map((points, i) =>
            Plot.line(points, {
              x: 'seconds',
              y: 'share',
              stroke: seriesColor(i),
              strokeWidth: 2,
              strokeDasharray: DASHES[i % 8],
              curve: 'step-after',
              clip: true,
            }),
          ),
        ],
      }),
    };
  }
  if (params.chart === 'ttft-over-time') {
    const series = results.map(({ id, value }) => ttftOverTime(id, value));
    return {
      rows: series.flat().map((point) => ({ ...point })),
      description: 'Mean TTFT by arrival time, simulated',
      options: (Plot, width, domain) => ({
        ...plain,
        width,
        x: {
          label: 'arrival (s)',
          grid: true,
          ...(domain === undefined ? {} : { domain: [...domain] }),
        },
        y: { label: 'mean TTFT (s), simulated', grid: true, zero: true },
        marks: series.map((points, i) =>
          Plot.line(points, {
            x: 'arrivalSeconds',
            y: 'seconds',
            stroke: seriesColor(i),
            strokeWidth: 2,
            strokeDasharray: DASHES[i % 8],
            clip: true,
          }),
        ),
      }),
    };
  }
  const rows = results.map(({ id, value }) => ({
    series: id,
    goodputPerSecond: value.metrics.goodputPerSecond,
    sloAttainmentPercent: value.metrics.sloAttainment * 100,
  }));
  return {
    rows,
    isFixed: true,
    description: 'Goodput under the SLO of each cell, simulated',
    options: (Plot, width) => ({
      ...plain,
      width,
      marginLeft: 100,
      height: 60 + 40 * rows.length,
      x: { label: 'goodput (requests/s within the SLO), simulated', grid: true },
      y: { label: null },
      marks: [
        Plot.barX(rows, {
          y: 'series',
          x: 'goodputPerSecond',
          fill: (row) => seriesColor(rows.indexOf(row)),
          sort: null,
        }),
        Plot.text(rows, {
          y: 'series',
          x: 'goodputPerSecond',
          text: (row) => `${row.sloAttainmentPercent.toFixed(0)} % attain`,
          textAnchor: 'end',
          dx: -6,
          fill: 'var(--surface)',
        }),
        Plot.ruleX([0]),
      ],
    }),
  };
}

/** Sweeps over one another; also what a plot of sweeps alone shows, whatever chart it names. */
function sweepsChart(name: PlotParams['chart'], inputs: readonly ViewInput[]): Chart | undefined {
  const series = inputs.flatMap(({ id, result }) =>
    result?.output.kind === 'sweep' ? [{ name: id, result: result.output.value }] : [],
  );
  if (series.length === 0) return undefined;
  const measure = name === 'attainment-against-rate' ? 'attainment' : 'goodput';
  return {
    rows: series.flatMap(({ name, result }) =>
      allPoints(result).map((point) => ({
        series: name,
        ratePerSecond: point.ratePerSecond,
        ...SWEEP_MEASURES[measure].of(point),
        unstableSeeds: point.unstableSeeds,
      })),
    ),
    isFixed: true,
    description: sweepLabel(series, measure),
    options: (Plot, width) => sweepChart(Plot, series, measure, width),
  };
}

/** On a log axis 1, 2 and 5 of each decade get a label; what is between only a tick. */
function isRound(value: number): boolean {
  const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  return [1, 2, 5].some((round) => Math.abs(mantissa - round) < 1e-6);
}

/** Each kernel as a point under the measured roof of what it ran on. */
function rooflineChart(inputs: readonly ViewInput[]): Chart | undefined {
  const points = inputs.flatMap(({ id, result }) => {
    if (result?.output.kind !== 'attention') return [];
    const { timing, roof, roofPlace, engine } = result.output.value;
    if (roof === undefined || roofPlace === undefined) return [];
    return [
      {
        series: id,
        engine,
        flopsPerByte: roofPlace.flopsPerByte,
        bound: roofPlace.bound,
        percentOfRoof: roofPlace.percent,
        gigaflopsPerSecond: timing.gigaflopsPerSecond,
        peak: roof.matmulGigaflopsPerSecond,
        gigabytesPerSecond: roof.copyGigabytesPerSecond,
      },
    ];
  });
  if (points.length === 0) return undefined;
  // Engines, and thread counts of one engine, have roofs of their own.
  const engines: readonly string[] = [...new Set(points.map(({ engine }) => engine))];
  const color = (engine: string) => seriesColor(engines.indexOf(engine));
  const roofs = [
    ...new Map(points.map((each) => [`${each.peak}/${each.gigabytesPerSecond}`, each])).values(),
  ].map(({ engine, peak, gigabytesPerSecond }) => ({
    engine,
    peak,
    gigabytesPerSecond,
    ridge: peak / gigabytesPerSecond,
  }));
  const across = [
    ...roofs.map(({ ridge }) => ridge),
    ...points.map(({ flopsPerByte }) => flopsPerByte),
  ];
  const left = Math.min(...across) / 4;
  const right = Math.max(...across) * 4;
  const bottom = Math.min(...points.map((each) => each.gigaflopsPerSecond)) / 2;
  const top = Math.max(...roofs.map(({ peak }) => peak)) * 2;
  return {
    rows: points,
    isFixed: true,
    description: `Attention kernels under the roofs measured here: ${points.map((each) => `${each.series} (${each.engine}) ${each.percentOfRoof.toFixed(0)} %`).join(', ')}`,
    options: (Plot, width) => ({
      ...plain,
      width,
      x: {
        type: 'log',
        label: 'arithmetic intensity (FLOP per byte of Q, K, V, O)',
        domain: [left, right],
        tickFormat: (value: number) => (isRound(value) ? String(value) : ''),
        grid: true,
      },
      y: { type: 'log', label: 'GFLOP/s', domain: [bottom, top], grid: true },
      marks: [
        ...roofs.flatMap(({ engine, peak, gigabytesPerSecond, ridge }) => [
          Plot.line(
            [
              { x: left, y: left * gigabytesPerSecond },
              { x: ridge, y: peak },
              { x: right, y: peak },
            ],
            { x: 'x', y: 'y', stroke: color(engine), strokeWidth: 2, clip: true },
          ),
          Plot.text([{ x: right, y: peak }], {
            x: 'x',
            y: 'y',
            text: () => `${engine} roof`,
            textAnchor: 'end',
            dy: -7,
          }),
        ]),
        Plot.dot(points, {
          x: 'flopsPerByte',
          y: 'gigaflopsPerSecond',
          fill: ({ engine }: { engine: string }) => color(engine),
          r: 5,
        }),
        Plot.text(points, { x: 'flopsPerByte', y: 'gigaflopsPerSecond', text: 'series', dy: 13 }),
      ],
    }),
  };
}
