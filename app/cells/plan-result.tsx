'use client';

import { useEffect, useState } from 'react';
import type { PlanResult, PlanRow } from '../../lib/serving/plan/result';
import type { PlanAxis } from '../../lib/views/charts/plan';
import { formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { planCsv } from '../../lib/views/plan-rows';
import { saveText } from '../state/save';
import { PlanAxisChoice, PlanChart } from '../views/plan-chart';
import views from '../views/views.module.css';
import { MetricList } from './metric-list';
import { PlanTable } from './plan-table';
import styles from './results.module.css';

interface Props {
  readonly cellId: string;
  readonly result: PlanResult;
  /** More plans are on their way. */
  readonly isPartial: boolean;
  /** Adds a serve cell that runs the plan. @returns why it cannot, or the id of the cell */
  readonly onUse: (row: PlanRow) => { readonly id: string } | { readonly problem: string };
}

/** A plan search as far as it has come; the chart's code is fetched before the first point is there. */
export function PlanResultView({
  result,
  ...rest
}: Omit<Props, 'result'> & { readonly result: PlanResult | undefined }) {
  useEffect(() => {
    void import('@observablehq/plot');
  }, []);
  return result === undefined ? (
    <p className={styles.note}>not run yet</p>
  ) : (
    <KnownPlans result={result} {...rest} />
  );
}

/** The chosen plan, the front, and every plan in a table. */
function KnownPlans({ cellId, result, isPartial, onUse }: Props) {
  const [axis, setAxis] = useState<PlanAxis>('energy');
  const [isTable, setTable] = useState(false);
  const [said, setSaid] = useState('');
  const chosen = result.rows.find(({ label }) => label === result.chosen);
  const hasPoints = result.rows.some(({ figures }) => (figures?.ratePerSecond ?? 0) > 0);
  const use = (row: PlanRow) => {
    const outcome = onUse(row);
    setSaid(
      'problem' in outcome
        ? outcome.problem
        : `${row.label} is now the serve cell ${outcome.id}, at the end of the notebook`,
    );
  };
  return (
    <>
      <MetricList metrics={metricsOf(result, chosen, isPartial)} />
      <div className={views.tools}>
        <button
          type="button"
          disabled={chosen === undefined || isPartial}
          onClick={() => chosen && use(chosen)}
        >
          Use the chosen plan
        </button>
        <PlanAxisChoice axis={axis} onChange={setAxis} />
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
        <button
          type="button"
          onClick={() => saveText(planCsv(result.rows), `${cellId}.csv`, 'text/csv')}
        >
          CSV
        </button>
      </div>
      <p className={styles.note} role="status">
        {said}
      </p>
      {isTable ? (
        <PlanTable cellId={cellId} result={result} onUse={isPartial ? undefined : use} />
      ) : hasPoints ? (
        <PlanChart result={result} axis={axis} />
      ) : (
        <p className={styles.note}>
          {isPartial
            ? 'the first plans in full are on their way: the table has the estimates'
            : 'no plan holds the SLO at any rate: look at its limits, the model or the hardware'}
        </p>
      )}
      {result.pruned.length > 0 && (
        <details className={styles.details}>
          <summary>{result.pruned.length} shapes of a replica were left out</summary>
          <ul>
            {result.pruned.map(({ label, reason }) => (
              <li key={label}>
                {label}: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      {result.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  );
}

function metricsOf(result: PlanResult, chosen: PlanRow | undefined, isPartial: boolean) {
  const { slo } = result.base;
  const figures = chosen?.figures;
  const isAll = result.enumerated <= result.rows.length;
  return [
    {
      name: 'chosen plan',
      value: chosen?.label ?? (isPartial ? 'not yet' : 'none'),
      note:
        figures === undefined
          ? ''
          : `holds ${formatCount(figures.ratePerSecond)} req/s${figures.failsAtPerSecond === Infinity ? '' : `, not ${formatCount(figures.failsAtPerSecond)}`}`,
      tone:
        chosen !== undefined
          ? ('good' as const)
          : isPartial
            ? ('muted' as const)
            : ('bad' as const),
    },
    {
      name: 'goodput per accelerator',
      value: figures === undefined ? '–' : `${formatCount(figures.goodputPerAccelerator)} req/s`,
    },
    {
      name: 'price, energy',
      value: figures === undefined ? '–' : formatCount(figures.pricePerMillionTokens),
      note:
        figures === undefined
          ? ''
          : `per million output tokens; ${formatCount(figures.joulesPerToken)} J a token`,
    },
    {
      name: 'SLO',
      value: formatPercent(slo.attainment),
      note: `TTFT ${formatSeconds(slo.ttftSeconds)}, TPOT ${formatSeconds(slo.tpotSeconds)}`,
    },
    {
      name: 'plans',
      value: formatCount(result.enumerated),
      note: `${result.rows.filter((row) => row.figures !== undefined).length} in full, ${formatCount(result.runs)} simulations, ${result.seeds} ${result.seeds === 1 ? 'seed' : 'seeds'} a rate${isAll ? '' : `; the best ${result.rows.length} are kept`}`,
    },
  ];
}
