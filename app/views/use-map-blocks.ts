'use client';

import { useEffect, useMemo, useState } from 'react';
import type { BlockList } from '../../lib/attention/types';
import { blockOutlines } from '../../lib/views/map/block-outline';
import type { MapBlocks } from '../../lib/views/map/draw-blocks';
import type { MapHead } from './use-map-data';

/** The block list of a head while it is asked for; undefined until it is there. */
export function useMapBlocks(
  mapHead: MapHead,
  isOn: boolean,
): { readonly blocks: MapBlocks | undefined; readonly problem: string | undefined } {
  const [loaded, setLoaded] = useState<{ readonly of: string; readonly list: BlockList }>();
  const [problem, setProblem] = useState<string>();
  const of = isOn ? `${mapHead.resultKey} ${mapHead.batch} ${mapHead.head}` : undefined;
  const list = loaded?.of === of ? loaded?.list : undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` stands for the head of a result
  useEffect(() => {
    setProblem(undefined);
    if (of === undefined || list !== undefined) return;
    let isCurrent = true;
    mapHead.source.blocks(mapHead.batch, mapHead.head).then(
      (value) => isCurrent && setLoaded({ of, list: value }),
      (error: Error) => isCurrent && error.name !== 'AbortError' && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
    };
  }, [of]);
  const blocks = useMemo(
    () => (list === undefined ? undefined : { list, outlines: blockOutlines(list) }),
    [list],
  );
  return { blocks, problem };
}
