'use client';

import { useEffect, useState } from 'react';
import { MAP_CELLS } from '../../lib/attention/map';
import type { MapBase, MapWindow } from '../../lib/attention/types';
import type { MapSource } from '../../lib/run/session-types';
import { touchedRect, type Viewport } from '../../lib/views/map/viewport';

/** One head of one batch entry of a result. */
export interface MapHead {
  readonly source: MapSource;
  /** Changes with the attention result. */
  readonly resultKey: string;
  readonly batch: number;
  readonly head: number;
  readonly queries: number;
  readonly keys: number;
}

export interface MapData {
  readonly base: MapBase | undefined;
  /** Exact values of what is visible, once zoomed in far enough. */
  readonly window: MapWindow | undefined;
  readonly problem: string | undefined;
}

/** The reduction of the whole map, and exact values of the visible part. */
export function useMapData(mapHead: MapHead, view: Viewport): MapData {
  const { source, resultKey, batch, head, queries, keys } = mapHead;
  const [base, setBase] = useState<MapBase>();
  const [window, setWindow] = useState<MapWindow>();
  const [problem, setProblem] = useState<string>();

  // biome-ignore lint/correctness/useExhaustiveDependencies: `resultKey` stands for the result behind `source`
  useEffect(() => {
    let isCurrent = true;
    setProblem(undefined);
    source.base(batch, head).then(
      (next) => isCurrent && setBase(next),
      (error: Error) => isCurrent && error.name !== 'AbortError' && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [resultKey, batch, head]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    const rect = touchedRect(view, queries, keys);
    const isExact =
      rect.queryEnd - rect.queryStart <= MAP_CELLS && rect.keyEnd - rect.keyStart <= MAP_CELLS;
    if (!isExact || base === undefined) {
      setWindow(undefined);
      return;
    }
    let isCurrent = true;
    source.window(batch, head, rect).then(
      (next) => isCurrent && setWindow(next),
      (error: Error) => isCurrent && error.name !== 'AbortError' && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [view, base, batch, head, resultKey]);
  return { base, window, problem };
}
