'use client';

import { useCallback, useSyncExternalStore } from 'react';
import { type CellStatus, IDLE_STATUS, type Session } from '../lib/run/session-types';
import type { Notebook } from '../lib/spec/notebook';

/** Statuses by cell id; renders again on every change of any of them. */
export function useSession(session: Session): ReadonlyMap<string, CellStatus> {
  return useSyncExternalStore(session.subscribe, session.statuses, session.statuses);
}

/** One cell's status; renders again only when it changes. A cell that is not there reads as idle. */
export function useCellStatus(session: Session, cellId: string): CellStatus {
  const read = useCallback(() => session.statuses().get(cellId) ?? IDLE_STATUS, [session, cellId]);
  return useSyncExternalStore(session.subscribe, read, read);
}

/** The document as the session has it. */
export function useNotebook(session: Session): Notebook {
  const read = useCallback(() => session.notebook, [session]);
  return useSyncExternalStore(session.subscribe, read, read);
}
