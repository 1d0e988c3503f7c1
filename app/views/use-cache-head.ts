'use client';

import { useEffect, useState } from 'react';
import type { CacheHead } from '../../lib/evaluate/cache-head';
import type { CacheHeadPlace } from '../../lib/run/cache-head-job';
import type { Session } from '../../lib/run/session-types';

/** A head of a cache cell, and where it is from; the one before stays until it is there. */
export interface LoadedHead {
  readonly of: string;
  readonly place: CacheHeadPlace;
  readonly head: CacheHead;
}

/**
 * Asks for a head of the result on show, once there is a place.
 *
 * @param resultKey changes with the result
 * @param reader whose newer calls replace its older ones
 */
export function useCacheHead(
  session: Session,
  cellId: string,
  resultKey: string,
  place: CacheHeadPlace | undefined,
  reader: string,
): { readonly loaded: LoadedHead | undefined; readonly problem: string | undefined } {
  const [loaded, setLoaded] = useState<LoadedHead>();
  const [problem, setProblem] = useState<string>();
  const of = place && `${resultKey} ${place.entry} ${place.layer} ${place.kvHead}`;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` stands for the place and the result
  useEffect(() => {
    setProblem(undefined);
    if (place === undefined || of === undefined || loaded?.of === of) return;
    let isCurrent = true;
    session.cacheHead(cellId, place, reader).then(
      (head) => isCurrent && setLoaded({ of, place, head }),
      (error: Error) => isCurrent && error.name !== 'AbortError' && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [of, cellId]);
  return { loaded, problem };
}
