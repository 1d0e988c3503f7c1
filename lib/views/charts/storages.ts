import type * as PlotModule from '@observablehq/plot';
import type { StorageResult } from '../../attention/decode/result';
import { formatBytes, formatError } from '../format';
import { placeLabels } from './place-labels';

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
const MARGIN_LEFT = 56;
const MARGIN_RIGHT = 20;

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
  const [left, right] = [MARGIN_LEFT, width - MARGIN_RIGHT];
  const [top, bottom] = [MARGIN_TOP, HEIGHT - MARGIN_BOTTOM];
  const places = placeLabels(
    points.map(({ name, bytesPerToken, error }) => ({
      text: name,
      x: left + (bytesPerToken / (most * 1.12)) * (right - left),
      y: top + ((high - Math.log10(error)) / (high - low)) * (bottom - top),
    })),
    { left, right: width, top: 0, bottom },
  );
  return {
    style: { background: 'none', color: 'var(--ink)' },
    width,
    height: HEIGHT,
    marginTop: MARGIN_TOP,
    marginBottom: MARGIN_BOTTOM,
    marginLeft: MARGIN_LEFT,
    marginRight: MARGIN_RIGHT,
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
      ...points.map((point, i) =>
        Plot.text([point], {
          x: 'bytesPerToken',
          y: 'error',
          text: 'name',
          fill: `var(--series-${(i % 8) + 1})`,
          textAnchor: places[i]?.anchor ?? 'start',
          dx: places[i]?.dx ?? 0,
          dy: places[i]?.dy ?? 0,
        }),
      ),
    ],
  };
}
