'use client';

import { useEffect, useMemo, useState } from 'react';
import { coefficientsOf } from '../../lib/serving/calibrate/coefficients';
import type { CalibrationResult } from '../../lib/serving/calibrate/fit-profile';
import { profileFileText } from '../../lib/serving/calibrate/profile-file';
import { profileNotebook } from '../../lib/serving/calibrate/profile-notebook';
import { encodeLink } from '../../lib/share/link';
import { formatCount, formatSeconds } from '../../lib/views/format';
import { MOST_POINTS, residualCsv, residualPoints } from '../../lib/views/residual-rows';
import { MetricList } from '../cells/metric-list';
import { saveText } from '../state/save';
import styles from './how-right.module.css';
import { ResidualChart } from './residual-chart';

const TABLE_ROWS = 100;
const signed = (percent: number): string =>
  `${percent > 0 ? '+' : percent < 0 ? '\u2212' : ''}${Math.abs(percent).toFixed(1)} %`;

/** A fitted profile: errors of what the fit did not see, every coefficient, and where to take it. */
export function ProfileReport({ result }: { readonly result: CalibrationResult }) {
  const { profile, parts, residuals, dropped, notes } = result;
  const [part, setPart] = useState('');
  const [isTable, setTable] = useState(false);
  const [href, setHref] = useState<string>();
  const chosen = residuals.names.includes(part) ? part : undefined;
  const points = useMemo(
    () => residualPoints(residuals, chosen, isTable ? TABLE_ROWS : MOST_POINTS),
    [residuals, chosen, isTable],
  );
  useEffect(() => {
    let isStale = false;
    void encodeLink(profileNotebook(profile)).then((link) => {
      if (!isStale) setHref(`${process.env.HEADROOM_BASE_PATH ?? ''}/n/${link}`);
    });
    return () => {
      isStale = true;
    };
  }, [profile]);
  const hasRows = residuals.part.length > 0;
  const droppedRows = dropped.reduce((sum, { rows }) => sum + rows, 0);
  const title = `${chosen ?? 'all rows'}: fitted against measured`;
  return (
    <section aria-label="fitted profile">
      <MetricList
        metrics={[
          {
            name: 'median error',
            value: `${profile.medianErrorPct} %`,
            note: 'rows held out',
          },
          {
            name: 'nine in ten below',
            value: `${profile.p90ErrorPct} %`,
            note: 'rows held out',
          },
          {
            name: 'rows used',
            value: formatCount(profile.rows),
            note: droppedRows === 0 ? 'none dropped' : `${formatCount(droppedRows)} dropped`,
          },
          {
            name: 'coefficients',
            value: String(coefficientsOf(profile).length),
            note: profile.law === 'operators' ? 'by operator' : 'of a whole iteration',
          },
        ]}
      />
      <p className={styles.note}>
        {profile.label}; {profile.source}
      </p>
      {dropped.map(({ reason, rows }) => (
        <p key={reason} className={styles.note}>
          {formatCount(rows)} rows dropped: {reason}
        </p>
      ))}
      {notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      <div className={styles.choices}>
        <button
          type="button"
          onClick={() => saveText(profileFileText(profile), 'profile.json', 'application/json')}
        >
          Save the profile
        </button>
        {href !== undefined && <a href={href}>Use it in a serve cell</a>}
        {hasRows && (
          <>
            <label>
              show{' '}
              <select value={chosen ?? ''} onChange={(event) => setPart(event.target.value)}>
                <option value="">all rows</option>
                {residuals.names.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
            <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
              Table
            </button>
            <button
              type="button"
              onClick={() => saveText(residualCsv(residuals), 'residuals.csv', 'text/csv')}
            >
              CSV
            </button>
          </>
        )}
      </div>
      <div className={styles.charts}>
        {hasRows && !isTable && <ResidualChart points={points} title={title} />}
        {hasRows && isTable && (
          <Table
            label={`${title}; ${points.length} rows, the CSV has all`}
            head={['part', 'measured', 'fitted', 'error', 'held out']}
            rows={points.map((each) => [
              each.part,
              formatSeconds(each.measured * 1e-6),
              formatSeconds(each.predicted * 1e-6),
              signed((each.predicted / each.measured - 1) * 100),
              each.isHeldOut ? 'yes' : 'no',
            ])}
          />
        )}
        {parts.length > 0 && (
          <Table
            label="errors of the rows held out"
            head={['part', 'rows', 'held out', 'median', 'nine in ten', 'mean, signed']}
            rows={parts.map((each) => [
              each.part,
              formatCount(each.rows),
              formatCount(each.heldOut),
              `${each.medianPct.toFixed(1)} %`,
              `${each.p90Pct.toFixed(1)} %`,
              signed(each.meanSignedPct),
            ])}
          />
        )}
      </div>
      <Table
        label="coefficients of the profile"
        head={['part', 'coefficient', 'value', 'unit']}
        rows={coefficientsOf(profile).map(({ part: of, name, value, unit }) => [
          of,
          name,
          String(Number(value.toPrecision(4))),
          unit,
        ])}
      />
    </section>
  );
}

function Table({
  label,
  head,
  rows,
}: {
  readonly label: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long table scrolls in its box, and the keyboard must be able to
    <section className={`${styles.scroll} ${styles.wraps}`} tabIndex={0} aria-label={label}>
      <table>
        <caption>{label}</caption>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of measurements have no other name
            <tr key={at}>
              {row.map((value, column) =>
                column === 0 ? (
                  <th key={head[column]} scope="row">
                    {value}
                  </th>
                ) : (
                  <td key={head[column]}>{value}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
