import { parseFile } from '../../lib/spec/markdown';
import type { Notebook } from '../../lib/spec/notebook';
import { fileTextOf } from './edits';

/** Edits that the tab holds for a reload or the back button; they are nobody else's and end with it. */
export interface Draft {
  /** The notebook as it was when the page was left, where that was not as it had been opened. */
  readonly read: () => Notebook | undefined;
  readonly keep: (notebook: Notebook) => void;
}

/** Whether the page was come back to: following a link opens what the link says. */
const isReturn = () => {
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return entry?.type === 'reload' || entry?.type === 'back_forward';
};

/** @param opened the notebook as this address opens it */
export function openDraft(opened: Notebook): Draft {
  const key = `headroom-draft ${location.pathname}${location.hash}`;
  const original = fileTextOf(opened);
  return {
    read() {
      if (!isReturn()) return undefined;
      try {
        const text = sessionStorage.getItem(key);
        const parsed = text === null || text === original ? undefined : parseFile(text);
        return parsed?.ok ? parsed.notebook : undefined;
      } catch {
        // No storage: what was edited is gone, as before.
        return undefined;
      }
    },
    keep(notebook) {
      try {
        const text = fileTextOf(notebook);
        if (text === original) sessionStorage.removeItem(key);
        else sessionStorage.setItem(key, text);
      } catch {
        // No storage, or a notebook larger than it.
      }
    },
  };
}
