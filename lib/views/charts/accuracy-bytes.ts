import type * as PlotModule from '@observablehq/plot';
import type { CacheResult } from '../../evaluate/cell-result';
import { formatBytes, formatPercent } from '../format';

export interface AccuracyPoint {
  readonly label: string;
  readonly bytesPerToken: number;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  readonly isOracle: boolean;
  readonly chance: number;
}

/** Runs with answers, as points. */
export function accuracyPoints(result: CacheResult): readonly AccuracyPoint[] {
  return result.runs.flatMap(({ label, isOracle, evaluation }) => {
    if (evaluation?.accuracy === undefined) return [];
    const { accuracy, bytesPerToken, chance } = evaluation;
    return [
      {
        label,
        isOracle,
        bytesPerToken: bytesPerToken.payload + bytesPerToken.overhead + bytesPerToken.host,
        accuracy: accuracy.share,
        low: accuracy.low,
        high: accuracy.high,
        chance,
      },
    ];
  });
}

/** What the chart says, for those who do not see it. */
export function accuracyLabel(points: readonly AccuracyPoint[]): string {
  const each = points.map(
    ({ label, accuracy, bytesPerToken }) =>
      `${label} ${formatPercent(accuracy)} at ${formatBytes(bytesPerToken)} per token`,
  );
  return `accuracy against bytes: ${each.join('; ')}`;
}

/** Accuracy against bytes per token with intervals; oracles are hollow, the chance level is dashed. */
export function accuracyChart(
  Plot: typeof PlotModule,
  points: readonly AccuracyPoint[],
  width: number,
): PlotModule.PlotOptions {
  return {
    width,
    height: 300,
    marginLeft: 48,
    marginRight: 90,
    marginBottom: 40,
    style: { background: 'none', color: 'var(--ink)' },
    x: {
      type: 'log',
      base: 2,
      label: 'bytes per context token',
      tickFormat: (bytes: number) => formatBytes(bytes),
      ticks: 5,
      grid: true,
    },
    y: {
      label: 'accuracy',
      domain: [0, 1],
      tickFormat: (share: number) => formatPercent(share),
      grid: true,
    },
    marks: [
      Plot.ruleY(
        points.slice(0, 1).map(({ chance }) => chance),
        { stroke: 'var(--ink-soft)', strokeDasharray: '4 3' },
      ),
      Plot.ruleX(points, {
        x: 'bytesPerToken',
        y1: 'low',
        y2: 'high',
        stroke: 'var(--accent)',
        strokeOpacity: 0.5,
        strokeWidth: 2,
      }),
      Plot.dot(points, {
        x: 'bytesPerToken',
        y: 'accuracy',
        r: 4,
        stroke: 'var(--accent)',
        fill: (point: AccuracyPoint) => (point.isOracle ? 'var(--surface)' : 'var(--accent)'),
      }),
      Plot.text(points, {
        x: 'bytesPerToken',
        y: 'accuracy',
        text: 'label',
        dx: 8,
        textAnchor: 'start',
        fill: 'var(--ink)',
      }),
    ],
  };
}
