import type { CellStatus } from '../../lib/run/session-types';
import styles from './results.module.css';

/** Says of a result that it is not whole. */
export function PartialNote({ status }: { readonly status: CellStatus }) {
  if (status.partial === undefined) return null;
  const isOn = status.state === 'running';
  return (
    <p className={styles.partial} data-testid="partial">
      <strong>Partial result:</strong>{' '}
      {isOn ? 'it fills in as the run goes on.' : 'the run ended early; this is what it had done.'}
    </p>
  );
}
