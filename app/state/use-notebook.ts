'use client';

import { useCallback, useEffect, useMemo, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import { type CellKind, INPUT_RULES, type Notebook } from '../../lib/spec/notebook';
import { openDraft } from './draft';
import * as edits from './edits';
import { type History, pushHistory, redo, startHistory, undo } from './history';

/** Edits of the document. Each gives the sentence why it was refused, or undefined when it was made. */
export interface EditActions {
  param(id: string, path: readonly string[], value: unknown): string | undefined;
  params(id: string, params: unknown): string | undefined;
  rename(id: string, to: string): string | undefined;
  toggleInput(id: string, input: string, isOn: boolean): string | undefined;
  move(id: string, by: -1 | 1): string | undefined;
  duplicate(id: string): string | undefined;
  remove(id: string): string | undefined;
  add(kind: CellKind, afterId: string | undefined): string | undefined;
  /** Cells whose ids are free, after all others. */
  append(cells: readonly unknown[]): string | undefined;
  title(title: string): string | undefined;
  replace(notebook: Notebook): void;
  /** The document as the page opened it, as one more edit. */
  reset(): void;
  undo(): void;
  redo(): void;
}

/** The document with its history, kept equal to the session's. A reload brings edits back as one step. */
export function useNotebookEdits(session: Session): {
  notebook: Notebook;
  edit: EditActions;
  /** Takes away the edits that a reload brought back; undefined where there are none. */
  dropRestored: (() => void) | undefined;
} {
  const [history, setHistory] = useState<History>(() => startHistory(session.notebook));
  const [opened] = useState(session.notebook);
  const [restored, setRestored] = useState<Notebook>();

  const apply = useCallback(
    (result: edits.EditResult): string | undefined => {
      if (!result.ok) return result.issues[0]?.message ?? 'invalid';
      session.setNotebook(result.notebook);
      setHistory((before) => pushHistory(before, result.notebook));
      return undefined;
    },
    [session],
  );
  useEffect(() => {
    const draft = openDraft(session.notebook);
    const before = draft.read();
    if (before !== undefined) {
      setRestored(session.notebook);
      apply({ ok: true, notebook: before });
    }
    const keep = () => draft.keep(session.notebook);
    window.addEventListener('pagehide', keep);
    return () => {
      window.removeEventListener('pagehide', keep);
      keep();
    };
  }, [apply, session]);
  const edit = useMemo((): EditActions => {
    const now = () => session.notebook;
    const travel = (step: (history: History) => History) =>
      setHistory((before) => {
        const after = step(before);
        if (after.present !== session.notebook) session.setNotebook(after.present);
        return after;
      });
    return {
      param: (id, path, value) => apply(edits.editParam(now(), id, path, value)),
      params: (id, params) => apply(edits.setParams(now(), id, params)),
      rename: (id, to) => (id === to ? undefined : apply(edits.renameCell(now(), id, to))),
      toggleInput(id, input, isOn) {
        const cell = now().cells.find((other) => other.id === id);
        if (cell === undefined) return undefined;
        const without = cell.inputs.filter((other) => other !== input);
        const isSingle = INPUT_RULES[cell.kind].count[1] === 1;
        return apply(
          edits.setInputs(now(), id, isOn ? [...(isSingle ? [] : without), input] : without),
        );
      },
      move: (id, by) => apply(edits.moveCell(now(), id, by)),
      duplicate: (id) => apply(edits.duplicateCell(now(), id)),
      remove: (id) => apply(edits.deleteCell(now(), id)),
      add: (kind, afterId) => apply(edits.addCell(now(), kind, afterId)),
      append: (cells) => apply(edits.appendCells(now(), cells)),
      title: (title) => apply({ ok: true, notebook: { ...now(), title: title.slice(0, 200) } }),
      replace: (notebook) => void apply({ ok: true, notebook }),
      reset: () => void apply({ ok: true, notebook: opened }),
      undo: () => travel(undo),
      redo: () => travel(redo),
    };
  }, [apply, session, opened]);
  return {
    notebook: history.present,
    edit,
    dropRestored:
      restored === undefined || history.present === restored
        ? undefined
        : () => edit.replace(restored),
  };
}
