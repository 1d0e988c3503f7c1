'use client';

import { EDIT_POLICIES, EDIT_TASK } from '../../lib/evaluate/edit-trace';
import type { CacheEntry, CacheParams } from '../../lib/spec/kinds/cache';
import styles from './cache.module.css';

/** For contexts that came about by an edit: what a cache can do about it, side by side. */
export function EditTrace(props: {
  readonly params: CacheParams;
  readonly onEntries: (entries: readonly CacheEntry[]) => void;
}) {
  const { params, onEntries } = props;
  if (params.task !== EDIT_TASK) return null;
  const ids = params.entries.map((entry) => (entry.type === 'preset' ? entry.id : ''));
  if (EDIT_POLICIES.every((id) => ids.includes(id))) return null;
  return (
    <p className={styles.choice}>
      <button
        type="button"
        onClick={() => onEntries(EDIT_POLICIES.map((id) => ({ type: 'preset', id, share: 1 })))}
      >
        follow the edit four ways
      </button>
      <span className={styles.note}>
        all run again, the prefix reused, spliced, and spliced with later keys rotated (PIE)
      </span>
    </p>
  );
}
