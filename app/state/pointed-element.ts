'use client';

import { createContext, useContext, useSyncExternalStore } from 'react';
import type { MapElement } from '../../lib/views/map/draw';

/** The element that a map points at, by the attention cell that it is of: other cells show it too. */
export interface PointedElements {
  get(cellId: string): MapElement | undefined;
  set(cellId: string, element: MapElement | undefined): void;
  subscribe(listener: () => void): () => void;
}

export function createPointedElements(): PointedElements {
  const elements = new Map<string, MapElement>();
  const listeners = new Set<() => void>();
  return {
    get: (cellId) => elements.get(cellId),
    set(cellId, element) {
      const before = elements.get(cellId);
      if (before?.query === element?.query && before?.key === element?.key) return;
      if (element === undefined) elements.delete(cellId);
      else elements.set(cellId, element);
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Without a provider nothing is shared. */
export const PointedContext = createContext<PointedElements>({
  get: () => undefined,
  set: () => undefined,
  subscribe: () => () => undefined,
});

export const usePointedElements = () => useContext(PointedContext);

export function usePointedElement(cellId: string): MapElement | undefined {
  const elements = usePointedElements();
  return useSyncExternalStore(
    elements.subscribe,
    () => elements.get(cellId),
    () => undefined,
  );
}
