import type * as PlotModule from '@observablehq/plot';
import type { PlanFigures, PlanResult, PlanRow } from '../../serving/plan/result';
import { formatCount } from '../format';

interface Axis {
  readonly title: string;
  readonly label: string;
  readonly of: (figures: PlanFigures) => number;
}

/** What goodput per accelerator is drawn against. */
export const PLAN_AXES = {
  energy: {
    title: 'energy per token',
    label: 'energy (joules per output token), simulated',
    of: ({ joulesPerToken }) => joulesPerToken,
  },
  price: {
    title: 'price per million tokens',
    label: 'price (per million output tokens), simulated',
    of: ({ pricePerMillionTokens }) => pricePerMillionTokens,
  },
  ttft: {
    title: 'TTFT p90',
    label: 'time to first token, p90 (s), simulated',
    of: ({ ttftP90Seconds }) => ttftP90Seconds,
  },
  tpot: {
    title: 'TPOT p90',
    label: 'time per output token, p90 (s), simulated',
    of: ({ tpotP90Seconds }) => tpotP90Seconds,
  },
} as const satisfies Record<string, Axis>;
export type PlanAxis = keyof typeof PLAN_AXES;

interface Dot {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly isPools: boolean;
  readonly isPareto: boolean;
  readonly isChosen: boolean;
}

function dotsOf({ rows, chosen }: PlanResult, axis: PlanAxis): readonly Dot[] {
  return rows.flatMap(({ label, plan, figures, isPareto }: PlanRow) =>
    figures === undefined || figures.ratePerSecond === 0
      ? []
      : [
          {
            label,
            x: figures.goodputPerAccelerator,
            y: PLAN_AXES[axis].of(figures),
            isPools: plan.type === 'pools',
            isPareto,
            isChosen: label === chosen,
          },
        ],
  );
}

/** What the chart says, for those who do not see it. */
export function planChartLabel(result: PlanResult, axis: PlanAxis): string {
  const dots = dotsOf(result, axis);
  const front = dots.filter(({ isPareto }) => isPareto);
  const each = front.map(({ label, x }) => `${label} at ${formatCount(x)} /s`);
  return `goodput per accelerator against ${PLAN_AXES[axis].title}, simulated: ${dots.length} plans, on the Pareto front ${each.join('; ') || 'none'}`;
}

/** Width of a label of the front, at most, pixels. */
const LABEL_WIDTH = 190;

/** A point per plan that was simulated in full; those on the front are filled, the chosen one is named. */
export function planChart(
  Plot: typeof PlotModule,
  result: PlanResult,
  axis: PlanAxis,
  width: number,
): PlotModule.PlotOptions {
  const dots = dotsOf(result, axis);
  const xs = dots.map(({ x }) => x);
  const middle = (Math.min(...xs) + Math.max(...xs)) / 2;
  const chosen = dots.filter(({ isChosen }) => isChosen);
  const marksOf = (isPools: boolean) => {
    const color = isPools ? 'var(--series-2)' : 'var(--series-1)';
    return Plot.dot(
      dots.filter((dot) => dot.isPools === isPools),
      {
        x: 'x',
        y: 'y',
        r: 5,
        symbol: isPools ? 'square' : 'circle',
        stroke: color,
        fill: (dot: Dot) => (dot.isPareto ? color : 'none'),
        title: 'label',
      },
    );
  };
  return {
    width,
    height: 300,
    marginLeft: 60,
    marginRight: 20,
    marginTop: 24,
    marginBottom: 38,
    style: { background: 'none', color: 'var(--ink)' },
    x: {
      label: 'goodput per accelerator (requests/s within the SLO)',
      grid: true,
      nice: true,
      ticks: Math.min(8, width / 90),
    },
    y: { label: PLAN_AXES[axis].label, grid: true, nice: true, ticks: 5, tickFormat: formatCount },
    marks: [
      marksOf(false),
      marksOf(true),
      ...chosen.map((dot) =>
        Plot.text([dot], {
          x: 'x',
          y: 'y',
          text: 'label',
          textAnchor: dot.x > middle || width < 2 * LABEL_WIDTH ? 'end' : 'start',
          dx: dot.x > middle || width < 2 * LABEL_WIDTH ? -9 : 9,
          dy: -11,
          fill: 'var(--ink)',
          stroke: 'var(--surface)',
          strokeWidth: 4,
        }),
      ),
    ],
    symbol: { type: 'identity' },
    r: { type: 'identity' },
  };
}
