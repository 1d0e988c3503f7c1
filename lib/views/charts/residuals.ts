import type * as PlotModule from '@observablehq/plot';
import { formatSeconds } from '../format';
import type { ResidualPoint } from '../residual-rows';

type Plot = typeof PlotModule;

/** Names of the two kinds of rows, in the order of their colours. */
export const ROW_KINDS = ['fitted on', 'held out'] as const;

function tick(microseconds: number): string {
  const mantissa = microseconds / 10 ** Math.floor(Math.log10(microseconds) + 1e-9);
  return [1, 3].some((round) => Math.abs(mantissa - round) < 1e-6)
    ? formatSeconds(microseconds * 1e-6)
    : '';
}

/** Fitted against measured, a dot per row, logarithmic; on the diagonal they are equal. */
export function residualChart(
  Plot: Plot,
  points: readonly ResidualPoint[],
  width: number,
): PlotModule.PlotOptions {
  const shown = points.filter(({ measured, predicted }) => measured > 0 && predicted > 0);
  const values = shown.flatMap(({ measured, predicted }) => [measured, predicted]);
  const domain = [Math.min(...values) / 1.2, Math.max(...values) * 1.2];
  return {
    height: 320,
    marginLeft: 64,
    marginBottom: 38,
    style: { background: 'none', color: 'var(--ink)' },
    width,
    color: { domain: [...ROW_KINDS], range: ['var(--series-1)', 'var(--series-2)'] },
    x: { type: 'log', label: 'measured', domain, tickFormat: tick, grid: true },
    y: { type: 'log', label: 'fitted', domain, tickFormat: tick, grid: true },
    marks: [
      Plot.line(
        domain.map((value) => ({ value })),
        { x: 'value', y: 'value', stroke: 'var(--ink-soft)', strokeDasharray: '4 3' },
      ),
      Plot.dot(shown, {
        x: 'measured',
        y: 'predicted',
        r: 2.5,
        // Shape as well as colour tells what the fit did not see.
        symbol: ({ isHeldOut }: ResidualPoint) => (isHeldOut ? 'diamond' : 'circle'),
        fill: ({ isHeldOut }: ResidualPoint) => ROW_KINDS[isHeldOut ? 1 : 0],
        fillOpacity: 0.6,
      }),
    ],
  };
}
