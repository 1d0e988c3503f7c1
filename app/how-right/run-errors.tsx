'use client';

import { useMemo, useState } from 'react';
import type { RunComparison } from '../../lib/run/check-service';
import {
  ANALYTIC_BARS,
  type ErrorKey,
  isWithin,
  TABLE_BARS,
} from '../../lib/serving/fidelity/bars';
import {
  comparisonCsv,
  LATENCIES,
  type Latency,
  latencyPairs,
  quantileRows,
} from '../../lib/views/fidelity-rows';
import { formatCount, formatSeconds } from '../../lib/views/format';
import { MetricList } from '../cells/metric-list';
import { saveText } from '../state/save';
import { FidelityChart } from './fidelity-chart';
import styles from './how-right.module.css';

const ERRORS: readonly (readonly [ErrorKey, string])[] = [
  ['tpotMeanPct', 'mean TPOT'],
  ['e2eMeanPct', 'mean E2E'],
  ['ttftMeanPct', 'mean TTFT'],
  ['makespanPct', 'makespan'],
];

const signed = (percent: number): string =>
  `${percent > 0 ? '+' : percent < 0 ? '\u2212' : ''}${Math.abs(percent).toFixed(2)} %`;

/** Errors against their bars, then every request: scatter, distributions, tables. */
export function RunErrors({ comparison }: { readonly comparison: RunComparison }) {
  const [latency, setLatency] = useState<Latency>('ttft');
  const [isTable, setTable] = useState(false);
  const { check, hasTables } = comparison;
  const bars = hasTables ? TABLE_BARS : ANALYTIC_BARS;
  const pairs = useMemo(() => latencyPairs(comparison, latency), [comparison, latency]);
  return (
    <section aria-label="errors of the replay">
      <MetricList
        metrics={[
          ...ERRORS.map(([key, name]) => {
            const within = isWithin(check, bars, key);
            return {
              name,
              value: signed(check[key]),
              note:
                within === undefined ? 'no bar' : `${within ? 'within' : 'outside'} ${bars[key]} %`,
              tone:
                within === undefined
                  ? ('muted' as const)
                  : within
                    ? ('good' as const)
                    : ('bad' as const),
            };
          }),
          {
            name: 'requests',
            value: formatCount(check.requests),
            note: `${formatCount(check.iterations)} iterations, ${check.preemptions} preemptions`,
          },
          {
            name: 'KV blocks',
            value: formatCount(check.kvBlocks),
            note: `${check.prefixHitPct} % of prompt tokens from the prefix cache`,
          },
        ]}
      />
      <p className={styles.note}>{check.costModel}</p>
      {check.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      <div className={styles.choices}>
        <label>
          show{' '}
          <select value={latency} onChange={(event) => setLatency(event.target.value as Latency)}>
            {Object.entries(LATENCIES).map(([id, title]) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
        <button
          type="button"
          onClick={() => saveText(comparisonCsv(comparison), 'replay.csv', 'text/csv')}
        >
          CSV
        </button>
      </div>
      {isTable ? (
        <PairTables latency={latency} pairs={pairs} />
      ) : (
        <div className={styles.charts}>
          <FidelityChart
            kind="scatter"
            pairs={pairs}
            title={`${LATENCIES[latency]}: simulated against measured, one dot a request`}
          />
          <FidelityChart
            kind="cdf"
            pairs={pairs}
            title={`${LATENCIES[latency]}: distribution, measured solid, simulated dashed`}
          />
        </div>
      )}
    </section>
  );
}

const SHOWN = 100;

function PairTables({
  latency,
  pairs,
}: {
  readonly latency: Latency;
  readonly pairs: ReturnType<typeof latencyPairs>;
}) {
  const shown = pairs.slice(0, SHOWN);
  const tables = [
    {
      label: `quantiles of the ${LATENCIES[latency]}`,
      head: 'quantile',
      rows: quantileRows(pairs).map((row) => ({ ...row, key: row.name })),
    },
    {
      label: `requests${shown.length < pairs.length ? `, the first ${SHOWN} of ${pairs.length}; the CSV has all` : ''}`,
      head: 'request',
      rows: shown.map(({ request, measured, simulated }) => ({
        key: String(request),
        measured,
        simulated,
        errorPct: (simulated / measured - 1) * 100,
      })),
    },
  ];
  return (
    <div className={styles.charts}>
      {tables.map(({ label, head, rows }) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long table scrolls in its box, and the keyboard must be able to
        <section key={head} className={styles.scroll} tabIndex={0} aria-label={label}>
          <table>
            <caption>{label}</caption>
            <thead>
              <tr>
                <th scope="col">{head}</th>
                <th scope="col">measured</th>
                <th scope="col">simulated</th>
                <th scope="col">error</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, measured, simulated, errorPct }) => (
                <tr key={key}>
                  <th scope="row">{key}</th>
                  <td>{formatSeconds(measured)}</td>
                  <td>{formatSeconds(simulated)}</td>
                  <td>{signed(errorPct)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </div>
  );
}
