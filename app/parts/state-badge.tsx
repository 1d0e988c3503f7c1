import type { CellState } from '../../lib/run/types';
import styles from './state-badge.module.css';

/** One mark per state beside its word: never colour alone. */
const MARKS: Readonly<Record<CellState, string>> = {
  idle: '○',
  stale: '◐',
  queued: '◌',
  running: '◍',
  done: '●',
  failed: '✕',
  cancelled: '⊘',
};

export function StateBadge({ state }: { readonly state: CellState }) {
  return (
    <span className={styles.badge} data-state={state}>
      <span aria-hidden="true">{MARKS[state]}</span> {state}
    </span>
  );
}
