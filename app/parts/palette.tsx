'use client';

import { useState } from 'react';
import type { Command } from '../shortcuts';
import { Dialog } from './dialog';
import styles from './palette.module.css';

/** Every command by name. */
export function Palette({
  commands,
  onClose,
}: {
  readonly commands: readonly Command[];
  readonly onClose: () => void;
}) {
  const [filter, setFilter] = useState('');
  const found = commands.filter((command) =>
    command.title.toLowerCase().includes(filter.toLowerCase()),
  );
  const run = (command: Command | undefined) => {
    onClose();
    command?.run();
  };
  return (
    <Dialog title="Commands" onClose={onClose}>
      <input
        type="search"
        aria-label="Filter commands"
        className={styles.filter}
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && run(found[0])}
      />
      <ul className={styles.list}>
        {found.map((command) => (
          <li key={command.id}>
            <button type="button" onClick={() => run(command)}>
              <span>{command.title}</span>
              <span>
                {command.keys.slice(0, 1).map((keys) => (
                  <kbd key={keys}>{keys}</kbd>
                ))}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
