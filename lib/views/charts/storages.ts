import type * as PlotModule from '@observablehq/plot';
import type { StorageResult } from '../../attention/decode/result';
import { formatBytes, formatError } from '../format';

export interface StoragePoint {
  readonly name: string;
  readonly bytesPerToken: number;
  /** Relative L2 of the output. */
  readonly error: number;
}

/** Where an error of 0 is drawn: below what f32 leaves. */
const EXACT = 1e-9;

export function storagePoints(storages: readonly StorageResult[]): readonly StoragePoint[] {
  return storages.map(({ name, bytesPerToken, error }) => ({
    name,
    bytesPerToken,
    error: Math.max(EXACT, error.relativeL2),
  }));
}

/** The chart in words. */
export function storageChartLabel(points: readonly StoragePoint[]): string {
  const each = points.map(
    ({ name, bytesPerToken, error }) =>
      `${name} ${formatBytes(bytesPerToken)}, ${formatError(error)}`,
  );
  return `output error against bytes per token: ${each.join('; ')}`;
}

const HEIGHT = 240;
const MARGIN_TOP = 24;
const MARGIN_BOTTOM = 36;
/** Pixels from one label to the next. */
const LABEL_STEP = 14;
/** Share of the x axis beyond which a label stands before its point. */
const LEFT_FROM = 0.55;

/**
 * Pixels by which each point's label moves down, so that labels on the same side of their points do
 * not lie on each other: from the top down, each at least a line below the one before.
 */
export function labelShifts(
  points: readonly StoragePoint[],
  yOf: (error: number) => number,
): readonly number[] {
  const most = Math.max(...points.map(({ bytesPerToken }) => bytesPerToken));
  const shifts = new Array<number>(points.length).fill(0);
  for (const isLeft of [false, true]) {
    let next = Number.NEGATIVE_INFINITY;
    points
      .map(({ error, bytesPerToken }, i) => ({ i, y: yOf(error), bytesPerToken }))
      .filter(({ bytesPerToken }) => bytesPerToken >= most * LEFT_FROM === isLeft)
      .sort((a, b) => a.y - b.y)
      .forEach(({ i, y }) => {
        const at = Math.max(y, next);
        shifts[i] = at - y;
        next = at + LABEL_STEP;
      });
  }
  return shifts;
}

/** Output error against bytes per token, the error logarithmic: down and to the left is better. */
export function storageChart(
  Plot: typeof PlotModule,
  points: readonly StoragePoint[],
  width: number,
): PlotModule.PlotOptions {
  const most = Math.max(...points.map(({ bytesPerToken }) => bytesPerToken));
  const errors = points.map(({ error }) => error);
  const domain = [Math.min(...errors) / 4, Math.max(...errors) * 4] as const;
  const [low, high] = domain.map(Math.log10) as [number, number];
  const shifts = labelShifts(points, (error) => {
    const share = (high - Math.log10(error)) / (high - low);
    return MARGIN_TOP + share * (HEIGHT - MARGIN_TOP - MARGIN_BOTTOM);
  });
  return {
    style: { background: 'none', color: 'var(--ink)' },
    width,
    height: HEIGHT,
    marginTop: MARGIN_TOP,
    marginBottom: MARGIN_BOTTOM,
    marginLeft: 56,
    x: {
      label: 'bytes per token, one layer',
      domain: [0, most * 1.12],
      ticks: Math.max(3, Math.floor(width / 110)),
      grid: true,
    },
    y: {
      type: 'log',
      label: 'output error, relative L2',
      domain: [...domain],
      tickFormat: (error: number) => {
        const power = Math.log10(error);
        return Math.abs(power - Math.round(power)) < 1e-6 ? `1e${Math.round(power)}` : '';
      },
      grid: true,
    },
    marks: [
      Plot.dot(points, {
        x: 'bytesPerToken',
        y: 'error',
        r: 5,
        fill: (_, i) => `var(--series-${(i % 8) + 1})`,
      }),
      ...points.map((point, i) => {
        const isLeft = point.bytesPerToken >= most * LEFT_FROM;
        return Plot.text([point], {
          x: 'bytesPerToken',
          y: 'error',
          text: 'name',
          fill: `var(--series-${(i % 8) + 1})`,
          textAnchor: isLeft ? 'end' : 'start',
          dx: isLeft ? -9 : 9,
          dy: shifts[i] ?? 0,
        });
      }),
    ],
  };
}
