import { formatPercent } from '../format';
import type { ViewInput } from '../view-input';
import type { Chart } from './marks';
import { massRows } from './mass';

const seriesColor = (i: number) => `var(--series-${(i % 8) + 1})`;
const plain = { style: { background: 'none', color: 'var(--ink)' } } as const;

/** Share of the softmax mass on every part by query, one stack per composition. */
export function partMassChart(inputs: readonly ViewInput[]): Chart | undefined {
  const cells = inputs.flatMap(({ id, result }) =>
    result?.output.kind === 'compose' && result.output.value.mass !== undefined
      ? [{ id, mass: result.output.value.mass }]
      : [],
  );
  if (cells.length === 0) return undefined;
  const rows = cells.flatMap(({ id, mass }) =>
    massRows(mass).map(({ position, name, share }) => ({
      series: id,
      position,
      part: name,
      share,
    })),
  );
  const names = [...new Set(rows.map(({ part }) => part))];
  const mean = (id: string, part: string) => {
    const own = rows.filter((row) => row.series === id && row.part === part);
    return own.reduce((sum, { share }) => sum + share, 0) / own.length;
  };
  return {
    name: 'part-mass',
    rows,
    isFixed: true,
    legend: names,
    isFilled: true,
    description: `Share of the softmax mass on every part, mean over queries: ${cells
      .map(
        ({ id, mass }) =>
          `${id} ${mass.names.map((part) => `${part} ${formatPercent(mean(id, part))}`).join(', ')}`,
      )
      .join('; ')}`,
    options: (Plot, width) => ({
      ...plain,
      width,
      height: 60 + 160 * cells.length,
      marginLeft: 52,
      marginTop: 28,
      x: { label: 'query position', grid: true },
      y: { label: 'share of the mass (%)', percent: true, domain: [0, 100] },
      fy: { axis: null, padding: 0.16, domain: cells.map(({ id }) => id) },
      color: { domain: names, range: names.map((_, i) => seriesColor(i)) },
      marks: [
        Plot.areaY(rows, {
          x: 'position',
          y: 'share',
          fy: 'series',
          fill: 'part',
          order: names,
          curve: 'step-after',
          stroke: 'var(--surface)',
          strokeWidth: 0.5,
        }),
        ...(cells.length === 1
          ? []
          : [
              Plot.text(cells, {
                fy: 'id',
                text: 'id',
                frameAnchor: 'top-right',
                dy: -12,
              }),
            ]),
        Plot.ruleY([0]),
      ],
    }),
  };
}
