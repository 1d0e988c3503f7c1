import type * as PlotModule from '@observablehq/plot';
import type { RecallCurve, RecallGapResult } from '../../evaluate/recall-gap-result';
import { SIBLING_NAMES } from '../../spec/kinds/recall-gap';
import { formatBytes, formatPercent } from '../format';

const DASHES = ['none', '7 3', '2 3', '8 3 2 3'];

/** `linear`, or `linear, read twice`. */
export function curveName({ model, reads }: Pick<RecallCurve, 'model' | 'reads'>): string {
  return reads === 2 ? `${model}, read twice` : model;
}

/** A model has the same colour and dash in every picture. */
export function curveStyle(model: RecallCurve['model']): {
  readonly stroke: string;
  readonly strokeDasharray: string;
} {
  const place = SIBLING_NAMES.indexOf(model);
  return { stroke: `var(--series-${place + 1})`, strokeDasharray: DASHES[place] as string };
}

/** What the chart says, for those who do not see it. */
export function recallLabel(curves: readonly RecallCurve[]): string {
  const each = curves.map((curve) => {
    const points = curve.points.map(
      ({ pairs, accuracy }) => `${formatPercent(accuracy.share)} at ${pairs}`,
    );
    return `${curveName(curve)} ${points.join(', ')}`;
  });
  return `share of right answers over pairs: ${each.join('; ')}`;
}

/** What the chart of bytes says. */
export function stateLabel(curves: readonly RecallCurve[]): string {
  const each = curves.map((curve) => {
    const first = curve.points[0];
    const last = curve.points.at(-1);
    if (first === undefined || last === undefined) return curveName(curve);
    return `${curveName(curve)} ${formatBytes(first.stateBytes)} at ${first.pairs}, ${formatBytes(last.stateBytes)} at ${last.pairs}`;
  });
  return `bytes kept over pairs: ${each.join('; ')}`;
}

function pairsAxis(result: RecallGapResult): PlotModule.ScaleOptions {
  const pairs = result.curves[0]?.points.map((point) => point.pairs) ?? [];
  return {
    type: 'log',
    base: 2,
    label: 'pairs in the context',
    ticks: pairs,
    tickFormat: (count: number) => String(count),
    grid: true,
  };
}

function common(width: number): PlotModule.PlotOptions {
  return {
    width,
    marginLeft: 56,
    marginRight: 16,
    marginBottom: 40,
    style: { background: 'none', color: 'var(--ink)' },
  };
}

/** Where training ended: everything to the right of it is extrapolation. */
function trainedMark(
  Plot: typeof PlotModule,
  curve: RecallCurve | undefined,
): PlotModule.Markish[] {
  if (curve === undefined) return [];
  const { trainedPairs, points } = curve;
  const most = Math.max(...points.map(({ pairs }) => pairs));
  const least = Math.min(...points.map(({ pairs }) => pairs));
  if (!(most > trainedPairs)) return [];
  const start = Math.max(least, trainedPairs);
  return [
    Plot.rectX([0], {
      x1: start,
      x2: most,
      fill: 'var(--masked)',
      fillOpacity: 0.5,
    }),
    Plot.ruleX([start], { stroke: 'var(--ink-soft)' }),
  ];
}

/** Accuracy over pairs with intervals; the dotted line is a guess among the values that stand there. */
export function recallChart(
  Plot: typeof PlotModule,
  result: RecallGapResult,
  curves: readonly RecallCurve[],
  width: number,
): PlotModule.PlotOptions {
  const guesses = curves[0]?.points.map(({ pairs }) => ({ pairs, share: 1 / pairs })) ?? [];
  return {
    ...common(width),
    height: 280,
    x: pairsAxis(result),
    y: {
      label: 'right answers',
      domain: [0, 1],
      tickFormat: (share: number) => formatPercent(share),
      grid: true,
    },
    marks: [
      ...trainedMark(Plot, curves[0]),
      Plot.line(guesses, {
        x: 'pairs',
        y: 'share',
        stroke: 'var(--ink-soft)',
        strokeDasharray: '1 4',
      }),
      ...curves.flatMap((curve) => {
        const style = curveStyle(curve.model);
        const points = curve.points.map(({ pairs, accuracy }) => ({ pairs, ...accuracy }));
        return [
          Plot.ruleX(points, {
            x: 'pairs',
            y1: 'low',
            y2: 'high',
            stroke: style.stroke,
            strokeOpacity: 0.5,
            strokeWidth: 2,
          }),
          Plot.line(points, { x: 'pairs', y: 'share', strokeWidth: 2, ...style }),
          Plot.dot(points, { x: 'pairs', y: 'share', r: 3, fill: style.stroke }),
        ];
      }),
    ],
  };
}

/** Bytes kept between tokens when the questions begin. */
export function stateChart(
  Plot: typeof PlotModule,
  result: RecallGapResult,
  curves: readonly RecallCurve[],
  width: number,
): PlotModule.PlotOptions {
  return {
    ...common(width),
    height: 280,
    x: pairsAxis(result),
    y: {
      type: 'log',
      base: 2,
      label: 'bytes kept',
      ticks: 5,
      tickFormat: (bytes: number) => formatBytes(bytes),
      grid: true,
    },
    marks: curves.map((curve) =>
      Plot.line(curve.points, {
        x: 'pairs',
        y: 'stateBytes',
        strokeWidth: 2,
        ...curveStyle(curve.model),
      }),
    ),
  };
}
