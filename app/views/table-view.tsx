'use client';

import { useState } from 'react';
import type { TableParams } from '../../lib/spec/kinds/views';
import { kindTables } from '../../lib/views/kernel-rows';
import { type Comparison, comparisonCsv } from '../../lib/views/serve-rows';
import type { ViewInput } from '../../lib/views/view-input';
import { ScrollRegion } from '../cells/scroll-region';
import { saveText } from '../state/save';
import styles from './views.module.css';

interface Props {
  readonly params: TableParams;
  readonly inputs: readonly ViewInput[];
  readonly onParamsChange: (params: TableParams) => void;
}

/** Metrics of several cells side by side, a table per kind; the best of each column is marked with a word. */
export function TableView({ params, inputs, onParamsChange }: Props) {
  const tables = kindTables(inputs, params.percentile);
  return (
    <>
      {tables.some(({ hasPercentile }) => hasPercentile) && (
        <div className={styles.tools}>
          <label>
            percentile{' '}
            <select
              value={params.percentile}
              onChange={(event) =>
                onParamsChange({
                  ...params,
                  percentile: event.target.value as TableParams['percentile'],
                })
              }
            >
              <option>p50</option>
              <option>p90</option>
              <option>p99</option>
            </select>
          </label>
        </div>
      )}
      {tables.map(({ title, comparison }) => (
        <div key={title} className={styles.kind}>
          <div className={styles.tools}>
            {tables.length > 1 && <span>{title}</span>}
            <button
              type="button"
              aria-label={tables.length > 1 ? `CSV of ${title}` : 'CSV'}
              onClick={() =>
                saveText(
                  comparisonCsv(comparison),
                  tables.length > 1 ? `${title.replaceAll(' ', '-')}.csv` : 'comparison.csv',
                  'text/csv',
                )
              }
            >
              CSV
            </button>
          </div>
          <SortableTable
            comparison={comparison}
            name={tables.length > 1 ? `comparison of ${title}` : 'comparison'}
          />
        </div>
      ))}
    </>
  );
}

function SortableTable({
  comparison,
  name,
}: {
  readonly comparison: Comparison;
  readonly name: string;
}) {
  const [sort, setSort] = useState<{ readonly id: string; readonly isAscending: boolean }>();
  const at = comparison.headers.findIndex(({ id }) => id === sort?.id);
  const rows =
    at < 0
      ? comparison.rows
      : comparison.rows.toSorted((a, b) => {
          const by = (a.cells?.[at]?.value ?? Infinity) - (b.cells?.[at]?.value ?? Infinity);
          return sort?.isAscending === true ? by : -by;
        });
  return (
    <ScrollRegion className={styles.scroll} label={name}>
      <table>
        <caption className="visually-hidden">{name}</caption>
        <thead>
          <tr>
            <th scope="col">cell</th>
            {comparison.headers.map(({ id, header }) => (
              <th
                key={id}
                scope="col"
                aria-sort={sort?.id !== id ? 'none' : sort.isAscending ? 'ascending' : 'descending'}
              >
                <button
                  type="button"
                  className={styles.sort}
                  onClick={() =>
                    setSort({ id, isAscending: sort?.id === id ? !sort.isAscending : true })
                  }
                >
                  {header}
                  {sort?.id === id ? (sort.isAscending ? ' ▲' : ' ▼') : ''}
                </button>
              </th>
            ))}
            <th scope="col">provenance</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} data-stale={row.isStale || undefined}>
              <th scope="row">
                {row.id}
                {row.isStale ? ' (stale)' : ''}
              </th>
              {row.cells === undefined ? (
                <td colSpan={comparison.headers.length}>not run</td>
              ) : (
                row.cells.map((cell, i) => (
                  <td key={comparison.headers[i]?.id}>
                    {cell.text}
                    {cell.isBest && <small className={styles.best}> best</small>}
                  </td>
                ))
              )}
              <td className={styles.source}>{row.provenance}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
