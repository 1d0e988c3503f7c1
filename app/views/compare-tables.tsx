'use client';

import { useMemo } from 'react';
import type { CompareParams } from '../../lib/spec/kinds/views';
import {
  type Difference,
  type RunPair,
  sortDifferences,
} from '../../lib/views/compare/compare-runs';
import { type CompareMeasure, MEASURE_LABELS } from '../../lib/views/compare/measures';
import { differencesCsv, summaryRows } from '../../lib/views/compare/rows';
import { formatSeconds } from '../../lib/views/format';
import { ScrollRegion } from '../cells/scroll-region';
import { saveText } from '../state/save';
import styles from './views.module.css';

const SHOWN = 50;
const ratioText = (ratio: number): string =>
  Number.isNaN(ratio) ? '' : `${Number(ratio.toPrecision(3))}×`;

/** Figures of both runs, and the second over the first. */
export function CompareSummary({ pair }: { readonly pair: RunPair }) {
  const rows = useMemo(() => summaryRows(pair), [pair]);
  return (
    <ScrollRegion className={styles.scroll} label="both runs">
      <table>
        <caption className="visually-hidden">both runs</caption>
        <thead>
          <tr>
            <th scope="col">simulated</th>
            <th scope="col">{pair.names[0]}</th>
            <th scope="col">{pair.names[1]}</th>
            <th scope="col">ratio</th>
            <th scope="col">{pair.names[1]} is</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, first, second, ratio, verdict }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{first}</td>
              <td>{second}</td>
              <td>{ratioText(ratio)}</td>
              <td data-verdict={verdict} className={styles.verdict}>
                {verdict ?? ''}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

interface DifferenceProps {
  readonly pair: RunPair;
  readonly rows: readonly Difference[];
  readonly order: CompareParams['order'];
  readonly measure: CompareMeasure;
}

/** Requests one by one: who gained and who lost. */
export function DifferenceTable({ pair, rows, order, measure }: DifferenceProps) {
  const sorted = useMemo(() => sortDifferences(rows, order), [rows, order]);
  const { requests } = pair.runs[0];
  return (
    <ScrollRegion className={styles.tall} label="requests one by one">
      <p className={styles.note}>
        {MEASURE_LABELS[measure]} of{' '}
        {rows.length > SHOWN ? `the first ${SHOWN} of ${rows.length}` : `${rows.length}`} requests
        in this order{' '}
        <button
          type="button"
          onClick={() =>
            saveText(differencesCsv(pair, rows), `${pair.names.join('-')}.csv`, 'text/csv')
          }
        >
          CSV of all
        </button>
      </p>
      <table aria-label="requests one by one">
        <thead>
          <tr>
            {['request', 'prompt', 'output', ...pair.names, 'change'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, SHOWN).map(({ id, first, second, change }) => (
            <tr key={id}>
              <th scope="row">{id}</th>
              <td>{requests.promptTokens[id]}</td>
              <td>{requests.outputTokens[id]}</td>
              <td>{formatSeconds(first)}</td>
              <td>{formatSeconds(second)}</td>
              <td
                className={styles.verdict}
                data-verdict={change > 0 ? 'worse' : change < 0 ? 'better' : undefined}
              >
                {change > 0 ? '+' : ''}
                {formatSeconds(change)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
