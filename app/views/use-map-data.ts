'use client';

import { useEffect, useState } from 'react';
import { MAP_CELLS } from '../../lib/attention/map';
import type { MapBase, MapRect, MapWindow } from '../../lib/attention/types';
import { WAITING } from '../../lib/run/map-source';
import type { MapSource } from '../../lib/run/session-types';
import type { MapPreview, Progress } from '../../lib/run/types';
import { touchedRect, type Viewport, windowRect } from '../../lib/views/map/viewport';

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
  /** The base is a first picture made of every so many queries; undefined once it is exact. */
  readonly everyQuery: number | undefined;
  /** Exact values of what is visible, once zoomed in far enough. */
  readonly window: MapWindow | undefined;
  readonly problem: string | undefined;
  /** Share of the base that is computed, while it is. */
  readonly progress: number | undefined;
  /** Another job is before it. */
  readonly isWaiting: boolean;
}

/** A value and the head that it belongs to: an older one may still be there while a newer comes. */
interface Loaded<T> {
  readonly of: string;
  readonly value: T;
}

/** The reduction of the whole map, and exact values of the visible part; nothing without a head. */
export function useMapData(mapHead: MapHead | undefined, view: Viewport): MapData {
  const [base, setBase] = useState<Loaded<MapBase>>();
  const [preview, setPreview] = useState<Loaded<MapPreview>>();
  const [window, setWindow] = useState<Loaded<MapWindow>>();
  const [problem, setProblem] = useState<string>();
  const [progress, setProgress] = useState<number>();
  const [isWaiting, setWaiting] = useState(false);
  const of =
    mapHead === undefined
      ? undefined
      : `${mapHead.resultKey} ${mapHead.batch} ${mapHead.head} ${mapHead.queries} ${mapHead.keys}`;
  const hasBase = base !== undefined && base.of === of;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` stands for the head of a result
  useEffect(() => {
    setProblem(undefined);
    setProgress(undefined);
    setWaiting(false);
    if (mapHead === undefined || of === undefined || hasBase) return;
    let isCurrent = true;
    const report = ({ fraction, phase, preview }: Progress) => {
      if (!isCurrent) return;
      setProgress(fraction);
      setWaiting(phase === WAITING);
      if (preview !== undefined) setPreview({ of, value: preview });
    };
    mapHead.source.base(mapHead.batch, mapHead.head, report).then(
      (value) => {
        if (!isCurrent) return;
        setBase({ of, value });
        setPreview(undefined);
      },
      (error: Error) => isCurrent && error.name !== 'AbortError' && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [of]);

  const rect = mapHead && exactRect(view, mapHead);
  const rectKey = JSON.stringify(rect);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above, and `rectKey` for the rectangle
  useEffect(() => {
    if (mapHead === undefined || of === undefined || !hasBase) return;
    if (rect === undefined) {
      setWindow(undefined);
      return;
    }
    let isCurrent = true;
    mapHead.source.window(mapHead.batch, mapHead.head, rect).then(
      (value) => isCurrent && setWindow({ of, value }),
      (error: Error) => isCurrent && error.name !== 'AbortError' && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [rectKey, hasBase, of]);
  const first = !hasBase && preview !== undefined && preview.of === of ? preview.value : undefined;
  return {
    base: hasBase ? base.value : first?.base,
    everyQuery: first?.everyQuery,
    window: hasBase && window?.of === of ? window.value : undefined,
    problem,
    progress: hasBase ? undefined : progress,
    isWaiting: !hasBase && isWaiting,
  };
}

/** The window to ask for; undefined where the view is too wide for exact values. */
function exactRect(view: Viewport, { queries, keys }: MapHead): MapRect | undefined {
  const { queryStart, queryEnd, keyStart, keyEnd } = touchedRect(view, queries, keys);
  const isExact = queryEnd - queryStart <= MAP_CELLS && keyEnd - keyStart <= MAP_CELLS;
  return isExact ? windowRect(view, queries, keys, MAP_CELLS) : undefined;
}
