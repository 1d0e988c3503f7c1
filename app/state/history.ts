import type { Notebook } from '../../lib/spec/notebook';

const MAX_STEPS = 200;

/** Documents before and after the present one. */
export interface History {
  readonly past: readonly Notebook[];
  readonly present: Notebook;
  readonly future: readonly Notebook[];
}

export const startHistory = (present: Notebook): History => ({ past: [], present, future: [] });

export function pushHistory(history: History, next: Notebook): History {
  if (next === history.present) return history;
  return { past: [...history.past, history.present].slice(-MAX_STEPS), present: next, future: [] };
}

export function undo({ past, present, future }: History): History {
  const previous = past.at(-1);
  if (previous === undefined) return { past, present, future };
  return { past: past.slice(0, -1), present: previous, future: [present, ...future] };
}

export function redo({ past, present, future }: History): History {
  const [next, ...rest] = future;
  if (next === undefined) return { past, present, future };
  return { past: [...past, present], present: next, future: rest };
}
