'use client';

import { useState } from 'react';
import type { PlanResult, PlanRow } from '../../lib/serving/plan/result';
import {
  PLAN_COLUMNS,
  type PlanColumnId,
  planMarks,
  planText,
  sortedPlans,
} from '../../lib/views/plan-rows';
import views from '../views/views.module.css';

interface Props {
  readonly cellId: string;
  readonly result: PlanResult;
  readonly onUse: ((row: PlanRow) => void) | undefined;
}

/** Every plan that is kept, sorted by any column; each can become a serve cell. */
export function PlanTable({ cellId, result, onUse }: Props) {
  const [sort, setSort] = useState<{ readonly id: PlanColumnId; readonly isLargest: boolean }>();
  const rows = sort === undefined ? result.rows : sortedPlans(result.rows, sort.id, sort.isLargest);
  return (
    <section
      className={`${views.scroll} ${views.tall}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls in its box, and the keyboard must be able to
      tabIndex={0}
      aria-label={`plans of ${cellId}`}
    >
      <table>
        <caption className="visually-hidden">{`plans of ${cellId}`}</caption>
        <thead>
          <tr>
            <th scope="col">plan</th>
            {PLAN_COLUMNS.map(({ id, title, isBestLargest }) => (
              <th
                key={id}
                scope="col"
                aria-sort={sort?.id !== id ? 'none' : sort.isLargest ? 'descending' : 'ascending'}
              >
                <button
                  type="button"
                  className={views.sort}
                  onClick={() =>
                    setSort({ id, isLargest: sort?.id === id ? !sort.isLargest : isBestLargest })
                  }
                >
                  {title}
                  {sort?.id === id ? (sort.isLargest ? ' ▼' : ' ▲') : ''}
                </button>
              </th>
            ))}
            <th scope="col">notes</th>
            <th scope="col">use</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label}>
              <th scope="row">{row.label}</th>
              {PLAN_COLUMNS.map((column) => (
                <td key={column.id}>{planText(column, row)}</td>
              ))}
              <td className={views.source}>{planMarks(row, result.chosen)}</td>
              <td>
                {onUse !== undefined && (
                  <button type="button" aria-label={`use ${row.label}`} onClick={() => onUse(row)}>
                    Use
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
