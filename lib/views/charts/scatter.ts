import type * as PlotModule from '@observablehq/plot';
import { type Difference, type RunPair, thinned } from '../compare/compare-runs';
import { type CompareMeasure, MEASURE_LABELS } from '../compare/measures';
import { formatSeconds } from '../format';

/** Dots of one picture at most; the table and the CSV have every request. */
const MOST_DOTS = 2000;

/** Requests by their figure in two runs, on equal logarithmic axes with the line of no change. */
export function scatterOptions(
  { names }: RunPair,
  rows: readonly Difference[],
  measure: CompareMeasure,
): {
  readonly options: (Plot: typeof PlotModule, width: number) => PlotModule.PlotOptions;
  readonly label: string;
} {
  const dots = thinned(rows, MOST_DOTS).filter(({ first, second }) => first > 0 && second > 0);
  let low = Infinity;
  let high = 0;
  for (const { first, second } of dots) {
    low = Math.min(low, first, second);
    high = Math.max(high, first, second);
  }
  const domain = dots.length === 0 ? [1e-3, 1] : [low / 1.2, high * 1.2];
  const ticks = decades(domain[0] as number, domain[1] as number);
  return {
    label: `${MEASURE_LABELS[measure]} of ${dots.length} requests: ${names[0]} across, ${names[1]} up`,
    options: (Plot, width) => ({
      width,
      height: Math.min(320, width),
      marginLeft: 60,
      style: { background: 'none', color: 'var(--ink)' },
      x: { type: 'log', domain, ticks, tickFormat: formatSeconds, label: names[0], grid: true },
      y: { type: 'log', domain, ticks, tickFormat: formatSeconds, label: names[1], grid: true },
      marks: [
        Plot.line(
          domain.map((seconds) => [seconds, seconds] as const),
          { stroke: 'var(--ink-soft)', strokeDasharray: '4 3' },
        ),
        Plot.dot(dots, {
          x: 'first',
          y: 'second',
          r: 2,
          fill: ({ change }: Difference) => (change > 0 ? 'var(--bad)' : 'var(--good)'),
          fillOpacity: 0.45,
        }),
      ],
    }),
  };
}

/** Powers of ten in a range; its ends where there are fewer than two. */
function decades(low: number, high: number): readonly number[] {
  const ticks: number[] = [];
  for (let e = Math.ceil(Math.log10(low)); e <= Math.floor(Math.log10(high)); e++)
    ticks.push(10 ** e);
  return ticks.length < 2 ? [low * 1.2, high / 1.2] : ticks;
}
