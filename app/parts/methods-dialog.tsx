'use client';

import { useEffect, useState } from 'react';
import { findMethods } from '../../lib/methods/find';
import { METHODS, methodCells } from '../../lib/methods/methods';
import { METHOD_PARTS, type Method } from '../../lib/methods/types';
import type { Notebook } from '../../lib/spec/notebook';
import { Dialog } from './dialog';
import styles from './methods-dialog.module.css';

interface Props {
  readonly notebook: Notebook;
  readonly onAdd: (cells: ReturnType<typeof methodCells>) => void;
  readonly onClose: () => void;
}

/** Published methods, each a few cells that one can run and change. */
export default function MethodsDialog({ notebook, onAdd, onClose }: Props) {
  const [filter, setFilter] = useState('');
  const [presets, setPresets] = useState<readonly Method[]>([]);
  useEffect(() => {
    import('../../lib/methods/preset-methods').then((loaded) => setPresets(loaded.PRESET_METHODS));
  }, []);
  const all = [...METHODS, ...presets];
  const found = findMethods(all, filter);
  const taken = new Set(notebook.cells.map(({ id }) => id));
  const [only, second] = found;
  function add(method: Method): void {
    onAdd(methodCells(method, (id) => taken.has(id)));
    onClose();
  }
  return (
    <Dialog title="Published methods" onClose={onClose}>
      <label className={styles.filter}>
        find{' '}
        <input
          type="search"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || only === undefined || second !== undefined) return;
            event.preventDefault();
            if (only.cells.length > 0) add(only);
          }}
        />
      </label>
      <p className={styles.note} role="status">
        {found.length} of {all.length} methods
        {second === undefined && only !== undefined && only.cells.length > 0
          ? '; Enter adds it'
          : ''}
      </p>
      <div className={styles.list}>
        {METHOD_PARTS.map((part) => {
          const methods = found.filter((method) => method.part === part);
          if (methods.length === 0) return null;
          return (
            <section key={part} aria-label={part}>
              <h3>{part}</h3>
              <ul>
                {methods.map((method) => (
                  <li key={method.id}>
                    <p>
                      <strong>{method.name}</strong> {method.says}
                    </p>
                    {method.leavesOut !== undefined && (
                      <p className={styles.note}>not here: {method.leavesOut}</p>
                    )}
                    <button
                      type="button"
                      disabled={method.cells.length === 0}
                      aria-label={`Add ${method.name}`}
                      onClick={() => add(method)}
                    >
                      Add
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
      </div>
    </Dialog>
  );
}
