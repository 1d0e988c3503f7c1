'use client';

import { useEffect } from 'react';
import type { MapElement } from '../../lib/views/map/draw';
import { usePointedElements } from '../state/pointed-element';

/** Tells the attention cells behind a map which element it points at, until the map is gone. */
export function usePointing(
  firstId: string,
  secondId: string | undefined,
  element: MapElement | undefined,
): void {
  const pointed = usePointedElements();
  useEffect(() => {
    pointed.set(firstId, element);
    if (secondId !== undefined) pointed.set(secondId, element);
  }, [pointed, firstId, secondId, element]);
  useEffect(
    () => () => {
      pointed.set(firstId, undefined);
      if (secondId !== undefined) pointed.set(secondId, undefined);
    },
    [pointed, firstId, secondId],
  );
}
