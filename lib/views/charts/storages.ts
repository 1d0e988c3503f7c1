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

/** Output error against bytes per token, the error logarithmic: down and to the left is better. */
export function storageChart(
  Plot: typeof PlotModule,
  points: readonly StoragePoint[],
  width: number,
): PlotModule.PlotOptions {
  const most = Math.max(...points.map(({ bytesPerToken }) => bytesPerToken));
  const errors = points.map(({ error }) => error);
  return {
    style: { background: 'none', color: 'var(--ink)' },
    width,
    height: 240,
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
      domain: [Math.min(...errors) / 4, Math.max(...errors) * 4],
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
      Plot.text(points, {
        x: 'bytesPerToken',
        y: 'error',
        text: 'name',
        // Towards the middle, where there is room.
        textAnchor: 'start',
        dx: 9,
        filter: ({ bytesPerToken }) => bytesPerToken < most * 0.55,
      }),
      Plot.text(points, {
        x: 'bytesPerToken',
        y: 'error',
        text: 'name',
        textAnchor: 'end',
        dx: -9,
        filter: ({ bytesPerToken }) => bytesPerToken >= most * 0.55,
      }),
    ],
  };
}
