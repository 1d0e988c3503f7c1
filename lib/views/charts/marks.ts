import type * as PlotModule from '@observablehq/plot';
import { PLOT_CHARTS, type PlotParams } from '../../spec/kinds/views';
import type { CellKind } from '../../spec/notebook';
import { formatSeconds } from '../format';
import type { ViewInput } from '../view-input';
import { cdfPoints, type Distribution, samplesOf, ttftOverTime } from './cdf';
import { KERNEL_CHARTS } from './kernels';
import { rooflineChart } from './roofline';
import { isRound } from './round-ticks';
import { allPoints, SWEEP_MEASURES, sweepChart, sweepLabel } from './sweep';

type Plot = typeof PlotModule;
export type ChartRow = Readonly<Record<string, string | number>>;

export interface Chart {
  readonly name: PlotParams['chart'];
  readonly rows: readonly ChartRow[];
  readonly options: (
    Plot: Plot,
    width: number,
    domain: readonly [number, number] | undefined,
  ) => PlotModule.PlotOptions;
  readonly description: string;
  /** Its x axis stays as it is: nothing to zoom into. */
  readonly isFixed?: boolean;
  /** Names of its series in the order of their colours and dashes; without them the chart names them itself. */
  readonly legend?: readonly string[];
  /** Its series are areas: colours without dashes. */
  readonly isFilled?: boolean;
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

/** Kinds of cells that a chart reads. */
const READS: Readonly<Record<PlotParams['chart'], readonly CellKind[]>> = {
  'ttft-cdf': ['serve'],
  'tpot-cdf': ['serve'],
  'tbt-cdf': ['serve'],
  'e2e-cdf': ['serve'],
  'ttft-over-time': ['serve'],
  goodput: ['serve'],
  'goodput-against-rate': ['sweep'],
  'attainment-against-rate': ['sweep'],
  'attention-roofline': ['attention', 'recurrent', 'decode'],
  'kernel-time': ['attention', 'compose', 'decode', 'recurrent'],
  'part-mass': ['compose'],
  'storage-error': ['decode'],
  recall: ['recurrent'],
  'state-bytes': ['recurrent', 'decode'],
};

/** Charts that read some of the inputs. */
export function chartsOf(inputs: readonly ViewInput[]): readonly PlotParams['chart'][] {
  const kinds = new Set(inputs.map(({ kind }) => kind));
  return PLOT_CHARTS.filter((name) => READS[name].some((kind) => kinds.has(kind)));
}

/**
 * What a plot cell draws: rows for the table and the CSV, and options for the chart itself. Where the
 * inputs cannot fill the chart that the params name, the first that they can.
 */
export function makeChart(params: PlotParams, inputs: readonly ViewInput[]): Chart | undefined {
  const named = chartNamed(params, inputs);
  if (named !== undefined || chartsOf(inputs).includes(params.chart)) return named;
  for (const chart of chartsOf(inputs)) {
    const other = chartNamed({ ...params, chart }, inputs);
    if (other !== undefined) return other;
  }
  return undefined;
}

function chartNamed(params: PlotParams, inputs: readonly ViewInput[]): Chart | undefined {
  const { chart: name } = params;
  const distribution = DISTRIBUTIONS[name];
  const results = serves(inputs);
  const ofKernels = KERNEL_CHARTS[name];
  if (ofKernels !== undefined) return ofKernels(inputs);
  if (name === 'attention-roofline') return rooflineChart(inputs);
  if (name.endsWith('-against-rate')) return sweepsChart(name, inputs);
  if (results.length === 0) return undefined;
  const legend = results.map(({ id }) => id);
  if (distribution !== undefined) {
    const [which, label] = distribution;
    const series = results.map(({ id, value }) => cdfPoints(id, samplesOf(value, which)));
    return {
      name,
      legend,
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
      name,
      legend,
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
    name,
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

/** Sweeps over one another. */
function sweepsChart(name: PlotParams['chart'], inputs: readonly ViewInput[]): Chart | undefined {
  const series = inputs.flatMap(({ id, result }) =>
    result?.output.kind === 'sweep' ? [{ name: id, result: result.output.value }] : [],
  );
  if (series.length === 0) return undefined;
  const measure = name === 'attainment-against-rate' ? 'attainment' : 'goodput';
  return {
    name,
    legend: series.map((each) => each.name),
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
