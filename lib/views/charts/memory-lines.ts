import type * as PlotModule from '@observablehq/plot';
import { formatBytes, formatCount, formatError } from '../format';
import type { ViewInput } from '../view-input';
import type { Chart } from './marks';

type Plot = typeof PlotModule;

const seriesColor = (i: number) => `var(--series-${(i % 8) + 1})`;
const plain = { style: { background: 'none', color: 'var(--ink)' } } as const;

const DASHES = ['none', '6 3', '2 3', '8 3 2 3', '1 4', '10 4', '4 2', '3 6'];

/** Whole powers of 2 within the values, every `step` of them: Plot's own ticks go by tens. */
function powersOf2(values: readonly number[], step: number): readonly number[] {
  const low = Math.ceil(Math.log2(Math.min(...values)) / step) * step;
  const high = Math.log2(Math.max(...values));
  const count = Math.max(0, Math.floor((high - low) / step + 1e-9) + 1);
  return Array.from({ length: count }, (_, i) => 2 ** (low + i * step));
}

const tokensText = (tokens: number) =>
  tokens >= 2 ** 20
    ? `${tokens / 2 ** 20} Mi`
    : tokens >= 1024
      ? `${tokens / 1024} Ki`
      : `${tokens}`;

/** Lines of equal treatment: colour, dash and legend by their order. */
interface Lines {
  readonly names: readonly string[];
  readonly points: readonly { readonly series: string; readonly x: number; readonly y: number }[];
}

function lineMarks(Plot: Plot, { names, points }: Lines) {
  return names.map((name, i) =>
    Plot.line(
      points.filter(({ series }) => series === name),
      {
        x: 'x',
        y: 'y',
        stroke: seriesColor(i),
        strokeWidth: 2,
        strokeDasharray: DASHES[i % 8] ?? 'none',
      },
    ),
  );
}

function recurrents(inputs: readonly ViewInput[]) {
  return inputs.flatMap(({ id, result }) =>
    result?.output.kind === 'recurrent' ? [{ id, value: result.output.value }] : [],
  );
}

/** Errors of recall over the pairs written, and after one key was written twice. */
export function recallChart(inputs: readonly ViewInput[]): Chart | undefined {
  const cells = recurrents(inputs).flatMap(({ id, value }) =>
    value.recall === undefined ? [] : [{ id, recall: value.recall }],
  );
  if (cells.length === 0) return undefined;
  const rows = cells.flatMap(({ id, recall }) =>
    recall.pairs.map((pairs, i) => ({
      series: id,
      pairs,
      relativeError: recall.errors[i] ?? Number.NaN,
      overwriteError: recall.overwriteError,
    })),
  );
  const names = cells.map(({ id }) => id);
  const points = rows.map(({ series, pairs, relativeError }) => ({
    series,
    x: pairs,
    y: relativeError,
  }));
  const overwritten = cells.map(({ id, recall }, i) => ({
    series: id,
    x: Math.max(...rows.map(({ pairs }) => pairs)),
    y: recall.overwriteError,
    color: seriesColor(i),
  }));
  return {
    name: 'recall',
    rows,
    isFixed: true,
    legend: names,
    description: `Recall: relative error of the values read over the pairs written; rings at the right, after one key was written twice: ${cells
      .map(
        ({ id, recall }) =>
          `${id} ${formatError(recall.errors.at(-1) ?? Number.NaN)} at ${recall.pairs.at(-1)} pairs, ${formatError(recall.overwriteError)} after the overwrite`,
      )
      .join('; ')}`,
    options: (Plot, width) => ({
      ...plain,
      width,
      height: 260,
      marginLeft: 52,
      marginRight: 28,
      x: {
        type: 'log',
        base: 2,
        label: 'pairs written; ring: one key written twice',
        ticks: powersOf2(
          rows.map(({ pairs }) => pairs),
          1,
        ),
        tickFormat: String,
        grid: true,
      },
      y: { label: 'relative error of the values read', grid: true, zero: true },
      marks: [
        Plot.ruleY([0]),
        ...lineMarks(Plot, { names, points }),
        Plot.dot(overwritten, { x: 'x', y: 'y', r: 5, stroke: 'color', strokeWidth: 2, dx: 14 }),
      ],
    }),
  };
}

/** Bytes kept over the context's length: stacks of recurrent layers, softmax of the same sizes, storages of a cache. */
export function stateBytesChart(inputs: readonly ViewInput[]): Chart | undefined {
  const states = recurrents(inputs).flatMap(({ id, value }) => [
    {
      name: id,
      points: value.hybrid.map(({ contextTokens, hybrid }) => [contextTokens, hybrid] as const),
    },
    {
      name: `${id}, all softmax`,
      points: value.hybrid.map(
        ({ contextTokens, fullAttention }) => [contextTokens, fullAttention] as const,
      ),
    },
  ]);
  const lengths = states[0]?.points.map(([tokens]) => tokens) ?? [256, 1024, 4096, 16384, 65536];
  const caches = inputs.flatMap(({ id, result }) =>
    result?.output.kind === 'decode'
      ? result.output.value.storages.map(({ name, bytesPerToken }) => ({
          name: `${id}: ${name}`,
          points: lengths.map((tokens) => [tokens, tokens * bytesPerToken] as const),
        }))
      : [],
  );
  const series = [...states, ...caches];
  if (series.length === 0) return undefined;
  const points = series.flatMap(({ name, points: own }) =>
    own.map(([x, y]) => ({ series: name, x, y })),
  );
  const names = series.map(({ name }) => name);
  return {
    name: 'state-bytes',
    rows: points.map(({ series: name, x, y }) => ({ series: name, contextTokens: x, bytes: y })),
    isFixed: true,
    legend: names,
    description: `Bytes kept over the context's length: ${series
      .map(({ name, points: own }) => {
        const [tokens, bytes] = own.at(-1) ?? [0, 0];
        return `${name} ${formatBytes(bytes)} at ${formatCount(tokens)} tokens`;
      })
      .join('; ')}`,
    options: (Plot, width) => ({
      ...plain,
      width,
      height: 280,
      marginLeft: 64,
      x: {
        type: 'log',
        base: 2,
        label: 'context (tokens)',
        ticks: powersOf2(
          points.map(({ x }) => x),
          width < 480 ? 4 : 2,
        ),
        tickFormat: tokensText,
        grid: true,
      },
      y: {
        type: 'log',
        base: 2,
        label: 'bytes kept',
        ticks: powersOf2(
          points.map(({ y }) => y),
          4,
        ),
        tickFormat: formatBytes,
        grid: true,
      },
      marks: lineMarks(Plot, { names, points }),
    }),
  };
}
