'use client';

import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import type { EditActions } from '../state/use-notebook';
import styles from './cell-menu.module.css';

interface Props {
  readonly id: string;
  readonly edit: EditActions;
}

const cellsOf = () => [...document.querySelectorAll<HTMLElement>('[data-cell]')];

/** The keyboard goes on where the edit was: an edit moves or takes the element that had the focus. */
function focusCell(id: string | undefined): void {
  const cell = cellsOf().find((each) => each.dataset.cell === id);
  cell?.focus({ preventScroll: true });
  cell?.scrollIntoView({ block: 'nearest' });
}

/** Moving, copying and deleting a cell; Escape, a click elsewhere and leaving it close the menu. */
export function CellMenu({ id, edit }: Props) {
  const menu = useRef<HTMLDetailsElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (!isOpen) return;
    const onPointerDown = (event: PointerEvent) => {
      if (event.target instanceof Node && !menu.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener('pointerdown', onPointerDown);
    return () => document.removeEventListener('pointerdown', onPointerDown);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.preventDefault();
    setOpen(false);
    menu.current?.querySelector('summary')?.focus();
  };
  /** @param next the cell that has the focus then, by the cells before and after the edit */
  const act = (
    change: () => string | undefined,
    next: (before: readonly string[], after: readonly string[]) => string | undefined,
  ) => {
    const ids = () => cellsOf().map((cell) => cell.dataset.cell ?? '');
    const before = ids();
    let refused: string | undefined;
    flushSync(() => {
      refused = change();
      setProblem(refused);
      setOpen(refused !== undefined);
    });
    if (refused === undefined) focusCell(next(before, ids()));
  };
  const after = (ids: readonly string[]) => ids[ids.indexOf(id) + 1];
  return (
    <details
      ref={menu}
      className={styles.menu}
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onKeyDown={onKeyDown}
      onBlur={({ relatedTarget }) => {
        // Safari does not focus a button that is clicked: no next element says nothing of leaving.
        if (relatedTarget !== null && !menu.current?.contains(relatedTarget)) setOpen(false);
      }}
    >
      <summary aria-label={`more for ${id}`}>⋯</summary>
      <div>
        <button
          type="button"
          onClick={() =>
            act(
              () => edit.move(id, -1),
              () => id,
            )
          }
        >
          Move up
        </button>
        <button
          type="button"
          onClick={() =>
            act(
              () => edit.move(id, 1),
              () => id,
            )
          }
        >
          Move down
        </button>
        <button
          type="button"
          onClick={() =>
            act(
              () => edit.duplicate(id),
              (_, ids) => after(ids),
            )
          }
        >
          Duplicate
        </button>
        <button
          type="button"
          onClick={() =>
            act(
              () => edit.remove(id),
              // Views of the cell may go with it.
              (before, ids) => {
                const at = before.indexOf(id);
                const isLeft = (each: string) => ids.includes(each);
                return before.slice(at).find(isLeft) ?? before.slice(0, at).findLast(isLeft);
              },
            )
          }
        >
          Delete
        </button>
        {problem !== undefined && <p role="alert">{problem}</p>}
      </div>
    </details>
  );
}
