import type * as PlotModule from '@observablehq/plot';
import {
  type CheckFigure,
  type CheckSeries,
  type Evidence,
  isCertain,
  isWithin,
} from '../../serving/checks/types';
import { formatCount } from '../format';

/** Where the rule of a check was read. */
export const EVIDENCE_TEXT: Readonly<Record<Evidence, string>> = {
  abstract: 'rule after the abstract',
  code: "rule read in the authors' code",
  'third-party': "rule after somebody's summary of the paper",
  unverified: 'rule from memory, not held against the paper',
  arithmetic: 'rule by construction',
};

const DASHES = ['none', '7 3', '2 3', '8 3 2 3'];

/** A line has the same colour and dash in the picture and in its legend. */
export function checkLineStyle(at: number): {
  readonly stroke: string;
  readonly strokeDasharray: string;
} {
  return {
    stroke: `var(--series-${(at % 8) + 1})`,
    strokeDasharray: DASHES[at % DASHES.length] as string,
  };
}

/** `3.42 x`, `12.5 %`, `0.98 req/s`. */
export function figureText(value: number, unit: string): string {
  const number = Number.isInteger(value) ? formatCount(value) : value.toPrecision(3);
  if (unit === 'x') return `${number}\u00d7`;
  return unit === '' ? number : `${number} ${unit}`;
}

/** `2.5 to 4.7`, `at least 3`, `at most 0.01`; empty without a band. */
export function bandText({ expected, unit }: CheckFigure): string {
  if (expected === undefined) return '';
  const { low, high } = expected;
  const text = (value: number) => figureText(value, unit);
  if (low !== undefined && high !== undefined) return `${text(low)} to ${text(high)}`;
  if (low !== undefined) return `at least ${text(low)}`;
  return high === undefined ? '' : `at most ${text(high)}`;
}

/** `12.5 % (3 to 22)`: the value, and the interval of 95 % where it has one. */
export function foundText({ value, unit, interval }: CheckFigure): string {
  const text = figureText(value, unit);
  if (interval === undefined) return text;
  return `${text} (${figureText(interval.low, '')} to ${figureText(interval.high, '')})`;
}

/** `inside`, `outside`, and whether the interval leaves it open; empty without a band. */
export function verdictText(figure: CheckFigure): string {
  const holds = isWithin(figure);
  if (holds === undefined) return '';
  const verdict = holds ? 'inside' : 'outside';
  return isCertain(figure) === false ? `${verdict}, by less than its interval` : verdict;
}

/** What a picture says, for those who do not see it. */
export function checkSeriesLabel({ title, xLabel, lines }: CheckSeries): string {
  const each = lines.map(({ name, x, y }) => {
    const last = x.length - 1;
    if (last < 0) return `${name}: nothing`;
    const ends = [0, last].map(
      (i) => `${formatCount(y[i] as number)} at ${formatCount(x[i] as number)}`,
    );
    return `${name} from ${ends.join(' to ')}`;
  });
  return `${title}, over ${xLabel}: ${each.join('; ')}`;
}

/** Lines of a check; an axis is logarithmic where its values span more than two decades. */
export function checkChart(
  Plot: typeof PlotModule,
  { xLabel, yLabel, lines }: CheckSeries,
  width: number,
): PlotModule.PlotOptions {
  const scaleOf = (values: readonly number[], label: string): PlotModule.ScaleOptions => {
    const least = Math.min(...values);
    const isLog = least > 0 && Math.max(...values) / least > 100;
    return {
      label,
      grid: true,
      nice: true,
      ...(isLog ? { type: 'log' } : {}),
      tickFormat: formatCount,
    };
  };
  return {
    width,
    height: 260,
    marginLeft: 60,
    marginRight: 16,
    marginBottom: 40,
    style: { background: 'none', color: 'var(--ink)' },
    x: scaleOf(
      lines.flatMap(({ x }) => x),
      xLabel,
    ),
    y: scaleOf(
      lines.flatMap(({ y }) => y),
      yLabel,
    ),
    marks: lines.map(({ x, y }, at) =>
      Plot.line(
        x.map((value, i) => [value, y[i] as number] as const),
        { ...checkLineStyle(at), strokeWidth: 2 },
      ),
    ),
  };
}
