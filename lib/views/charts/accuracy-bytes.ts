import type * as PlotModule from '@observablehq/plot';
import type { CacheResult } from '../../evaluate/cell-result';
import type { CacheEntry } from '../../spec/kinds/cache';
import { formatBytes, formatPercent } from '../format';
import { placeLabels } from './place-labels';

export interface AccuracyPoint {
  readonly label: string;
  /** Points of one policy at several budgets make a curve. */
  readonly series: string;
  readonly bytesPerToken: number;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  readonly isOracle: boolean;
  readonly chance: number;
}

/** Runs with answers, as points. */
export function accuracyPoints(result: CacheResult): readonly AccuracyPoint[] {
  return result.runs.flatMap(({ entry, label, isOracle, evaluation }) => {
    if (evaluation?.accuracy === undefined) return [];
    const { accuracy, bytesPerToken, chance } = evaluation;
    return [
      {
        label,
        series: seriesOf(entry),
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

/** A preset by its name; a composed policy by all of it but its budget. */
function seriesOf(entry: CacheEntry): string {
  if (entry.type === 'preset') return entry.id;
  const { budget: _, ...rest } = entry.policy;
  return JSON.stringify(rest);
}

/** What the chart says, for those who do not see it. */
export function accuracyLabel(points: readonly AccuracyPoint[]): string {
  const each = points.map(
    ({ label, accuracy, bytesPerToken }) =>
      `${label} ${formatPercent(accuracy)} at ${formatBytes(bytesPerToken)} per token`,
  );
  return `accuracy against bytes: ${each.join('; ')}`;
}

const MARGIN = { left: 48, right: 20, top: 20, bottom: 40 } as const;
/** More points need more lines for their names. */
const HEIGHT = 300;
const MANY_HEIGHT = 420;
const MANY = 8;

/**
 * Accuracy against bytes per token with intervals, a line through the budgets of one policy; oracles are hollow, the chance level is dashed.
 * A name that stands away from its point has a line to it.
 */
export function accuracyChart(
  Plot: typeof PlotModule,
  points: readonly AccuracyPoint[],
  width: number,
): PlotModule.PlotOptions {
  const height = points.length > MANY ? MANY_HEIGHT : HEIGHT;
  const bytes = points.map(({ bytesPerToken }) => Math.max(1, bytesPerToken));
  // Room on both sides, where there is but one amount too.
  const domain = [Math.min(...bytes) / 1.3, Math.max(...bytes) * 1.3] as const;
  const [low, high] = domain.map(Math.log2) as [number, number];
  const area = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top };
  const bottom = height - MARGIN.bottom;
  const pixels = points.map(({ label, bytesPerToken, accuracy }) => ({
    text: label,
    x:
      area.left +
      ((Math.log2(Math.max(1, bytesPerToken)) - low) / (high - low)) * (area.right - area.left),
    y: area.top + (1 - accuracy) * (bottom - area.top),
  }));
  const places = placeLabels(pixels, { left: area.left, right: width, top: 0, bottom });
  return {
    width,
    height,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    style: { background: 'none', color: 'var(--ink)' },
    x: {
      type: 'log',
      base: 2,
      domain: [...domain],
      label: 'bytes per context token',
      tickFormat: (amount: number) => formatBytes(amount),
      ticks: Math.max(3, Math.floor(width / 140)),
      grid: true,
    },
    y: {
      label: 'accuracy',
      domain: [0, 1],
      tickFormat: (share: number) => formatPercent(share),
      ticks: 5,
      grid: true,
    },
    marks: [
      Plot.ruleY(
        points.slice(0, 1).map(({ chance }) => chance),
        { stroke: 'var(--ink-soft)', strokeDasharray: '4 3' },
      ),
      Plot.line(
        [...points].sort((a, b) => a.bytesPerToken - b.bytesPerToken),
        {
          x: 'bytesPerToken',
          y: 'accuracy',
          z: 'series',
          stroke: 'var(--accent)',
          strokeOpacity: 0.6,
        },
      ),
      Plot.ruleX(points, {
        x: 'bytesPerToken',
        y1: 'low',
        y2: 'high',
        stroke: 'var(--accent)',
        strokeOpacity: 0.35,
        strokeWidth: 2,
      }),
      ...points.flatMap((point, i) => {
        const { dx, dy, anchor } = places[i]!;
        const toName = Plot.link([point], {
          x: 'bytesPerToken',
          y1: 'accuracy',
          y2: accuracyAt(pixels[i]!.y + dy, area.top, bottom),
          stroke: 'var(--line-strong)',
        });
        const name = Plot.text([point], {
          x: 'bytesPerToken',
          y: 'accuracy',
          text: 'label',
          dx,
          dy,
          textAnchor: anchor,
          fill: 'var(--ink)',
          stroke: 'var(--surface)',
          strokeWidth: 3,
        });
        return dy === 0 ? [name] : [toName, name];
      }),
      Plot.dot(points, {
        x: 'bytesPerToken',
        y: 'accuracy',
        r: 4,
        stroke: 'var(--accent)',
        fill: (point: AccuracyPoint) => (point.isOracle ? 'var(--surface)' : 'var(--accent)'),
      }),
    ],
  };
}

function accuracyAt(y: number, top: number, bottom: number): number {
  return 1 - (y - top) / (bottom - top);
}
