import type { ReactNode } from 'react';
import styles from './metric-list.module.css';

export interface Metric {
  readonly name: string;
  readonly value: ReactNode;
  readonly note?: string;
  readonly tone?: 'good' | 'bad' | 'muted';
}

/** Names and values of a result, as a description list. */
export function MetricList({ metrics }: { readonly metrics: readonly Metric[] }) {
  return (
    <dl className={styles.list}>
      {metrics.map(({ name, value, note, tone }) => (
        <div key={name} data-tone={tone}>
          <dt>{name}</dt>
          <dd>
            {value}
            {note !== undefined && <small> {note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
