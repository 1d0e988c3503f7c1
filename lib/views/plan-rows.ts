import type { Plan } from '../serving/plan/plan';
import type { PlanFigures, PlanRow } from '../serving/plan/result';
import { formatCount, formatPercent, formatSeconds } from './format';

/** One column of the table of plans: what it is sorted by, and how it reads. */
export interface PlanColumn {
  readonly id: string;
  readonly title: string;
  /** NaN sorts last. */
  readonly value: (row: PlanRow) => number;
  readonly text: (value: number) => string;
  /** The first click sorts this way. */
  readonly isBestLargest: boolean;
}

const figure =
  (pick: (figures: PlanFigures) => number) =>
  ({ figures }: PlanRow): number =>
    figures === undefined ? Number.NaN : pick(figures);

export const PLAN_COLUMNS = [
  {
    id: 'goodput_per_accelerator',
    title: 'goodput per accelerator (/s)',
    value: figure((each) => each.goodputPerAccelerator),
    text: formatCount,
    isBestLargest: true,
  },
  {
    id: 'rate_per_s',
    title: 'highest rate (/s)',
    value: figure((each) => each.ratePerSecond),
    text: formatCount,
    isBestLargest: true,
  },
  {
    id: 'estimate_per_s',
    title: 'estimate (/s)',
    value: ({ estimatePerSecond }) => estimatePerSecond,
    text: formatCount,
    isBestLargest: true,
  },
  {
    id: 'price_per_million_tokens',
    title: 'price per million tokens',
    value: figure((each) => each.pricePerMillionTokens),
    text: formatCount,
    isBestLargest: false,
  },
  {
    id: 'joules_per_token',
    title: 'joules per token',
    value: figure((each) => each.joulesPerToken),
    text: formatCount,
    isBestLargest: false,
  },
  {
    id: 'busy_share',
    title: 'at work',
    value: figure((each) => each.busyShare),
    text: formatPercent,
    isBestLargest: true,
  },
  {
    id: 'ttft_p90_s',
    title: 'TTFT p90',
    value: figure((each) => each.ttftP90Seconds),
    text: formatSeconds,
    isBestLargest: false,
  },
  {
    id: 'tpot_p90_s',
    title: 'TPOT p90',
    value: figure((each) => each.tpotP90Seconds),
    text: formatSeconds,
    isBestLargest: false,
  },
  {
    id: 'accelerators',
    title: 'accelerators',
    value: ({ accelerators }) => accelerators,
    text: formatCount,
    isBestLargest: false,
  },
] as const satisfies readonly PlanColumn[];
export type PlanColumnId = (typeof PLAN_COLUMNS)[number]['id'];

/** Text of a cell; a dash where there is no number. */
export function planText(column: PlanColumn, row: PlanRow): string {
  const value = column.value(row);
  return Number.isNaN(value) ? '–' : column.text(value);
}

/** What is to be known of a row besides its numbers. */
export function planMarks(row: PlanRow, chosen: string | undefined): string {
  const { figures } = row;
  const unstable = figures?.points.some(({ unstableSeeds }) => unstableSeeds > 0) === true;
  return [
    ...(row.label === chosen ? ['chosen'] : []),
    ...(row.isPareto ? ['Pareto'] : []),
    ...(row.isHeuristic ? ['without a search'] : []),
    ...(figures === undefined ? ['estimated only'] : []),
    ...(figures?.ratePerSecond === 0 ? ['no rate holds the SLO'] : []),
    ...(unstable ? ['unstable above'] : []),
  ].join(', ');
}

/** Rows by a column; rows without a number stay last, equal ones in their order. */
export function sortedPlans(
  rows: readonly PlanRow[],
  id: PlanColumnId,
  isLargestFirst: boolean,
): readonly PlanRow[] {
  const column = PLAN_COLUMNS.find((each) => each.id === id) as PlanColumn;
  const sign = isLargestFirst ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (Number.isNaN(x) || Number.isNaN(y))
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return sign * (x - y);
  });
}

const degreesOf = (plan: Plan): readonly number[] =>
  plan.type === 'colocated'
    ? [plan.mixed.replicas, plan.mixed.degrees.tensor, plan.mixed.degrees.pipeline, 0, 0, 0]
    : [plan.prefill, plan.decode].flatMap(({ replicas, degrees }) => [
        replicas,
        degrees.tensor,
        degrees.pipeline,
      ]);

/** All rows as CSV: the first group is the prefill pool, or the colocated replicas. */
export function planCsv(rows: readonly PlanRow[]): string {
  const header = [
    'arrangement',
    'replicas',
    'tensor',
    'pipeline',
    'decode_replicas',
    'decode_tensor',
    'decode_pipeline',
    ...PLAN_COLUMNS.map(({ id }) => id),
    'pareto',
  ];
  const lines = rows.map((row) =>
    [
      row.plan.type,
      ...degreesOf(row.plan),
      ...PLAN_COLUMNS.map(({ value }) => (Number.isNaN(value(row)) ? '' : value(row))),
      row.isPareto ? 'yes' : 'no',
    ].join(','),
  );
  return `${[header.join(','), ...lines].join('\n')}\n`;
}
