import type * as PlotModule from '@observablehq/plot';
import type { LatencyPair } from '../fidelity-rows';
import { formatSeconds } from '../format';

type Plot = typeof PlotModule;

const plain = {
  height: 280,
  marginLeft: 60,
  marginBottom: 38,
  style: { background: 'none', color: 'var(--ink)' },
} as const;

/** On a log axis 1, 2 and 5 of each decade get a label. */
function tick(seconds: number): string {
  const mantissa = seconds / 10 ** Math.floor(Math.log10(seconds) + 1e-9);
  return [1, 2, 5].some((round) => Math.abs(mantissa - round) < 1e-6) ? formatSeconds(seconds) : '';
}

/** Simulated against measured, a dot per request; on the diagonal they are equal. */
export function scatterChart(
  Plot: Plot,
  pairs: readonly LatencyPair[],
  width: number,
): PlotModule.PlotOptions {
  const shown = pairs.filter(({ measured, simulated }) => measured > 0 && simulated > 0);
  const values = shown.flatMap(({ measured, simulated }) => [measured, simulated]);
  const domain = [Math.min(...values) / 1.1, Math.max(...values) * 1.1];
  return {
    ...plain,
    width,
    x: { type: 'log', label: 'measured', domain, tickFormat: tick, grid: true },
    y: { type: 'log', label: 'simulated', domain, tickFormat: tick, grid: true },
    marks: [
      Plot.line(
        domain.map((seconds) => ({ seconds })),
        { x: 'seconds', y: 'seconds', stroke: 'var(--ink-soft)', strokeDasharray: '4 3' },
      ),
      Plot.dot(shown, {
        x: 'measured',
        y: 'simulated',
        r: 2.5,
        fill: 'var(--series-1)',
        fillOpacity: 0.55,
      }),
    ],
  };
}

/** Both cumulative distributions; measured is solid, simulated dashed. */
export function cdfChart(
  Plot: Plot,
  pairs: readonly LatencyPair[],
  width: number,
): PlotModule.PlotOptions {
  const curve = (side: 'measured' | 'simulated') => {
    const sorted = Float64Array.from(pairs, (pair) => pair[side]).sort();
    return Array.from(sorted, (seconds, i) => ({
      seconds,
      share: ((i + 1) / sorted.length) * 100,
    })).filter(({ seconds }) => seconds > 0);
  };
  return {
    ...plain,
    width,
    x: { type: 'log', label: 'seconds', tickFormat: tick, grid: true },
    y: { label: 'share at or below (%)', domain: [0, 100], grid: true },
    marks: (['measured', 'simulated'] as const).map((side, i) =>
      Plot.line(curve(side), {
        x: 'seconds',
        y: 'share',
        stroke: `var(--series-${i + 1})`,
        strokeWidth: 2,
        strokeDasharray: i === 0 ? 'none' : '6 3',
        curve: 'step-after',
      }),
    ),
  };
}
