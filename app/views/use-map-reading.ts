'use client';

import { useEffect, useRef, useState } from 'react';
import type { MapWindow } from '../../lib/attention/types';
import type { MapElement } from '../../lib/views/map/draw';
import { valueAt, windowLayer } from '../../lib/views/map/layer';
import type { MapReading } from '../../lib/views/map/reading';
import type { MapHead } from './use-map-data';

type Operand = { readonly head: MapHead; readonly window: MapWindow | undefined };

/** Changes with the head and the result that a value is of. */
const identityOf = ({ head }: Operand) => `${head.resultKey} ${head.batch} ${head.head}`;

/**
 * Exact value of one element of each operand: from the windows at hand, else asked for. It is that of
 * the heads on show: where they change it is read again, and there is none meanwhile.
 */
export function useMapReading(
  first: Operand,
  second: Operand | undefined,
): { readonly reading: MapReading | undefined; readonly read: (element: MapElement) => void } {
  const [loaded, setLoaded] = useState<{ readonly of: string; readonly reading: MapReading }>();
  const turn = useRef(0);
  const last = useRef<MapElement>(undefined);
  const of = `${identityOf(first)} - ${second === undefined ? '' : identityOf(second)}`;
  const read = (element: MapElement) => {
    const mine = ++turn.current;
    last.current = element;
    const parts = [first, ...(second === undefined ? [] : [second])].map((operand) =>
      probabilityOf(operand, element),
    );
    const set = ([a, b]: readonly number[]) => {
      if (a !== undefined) setLoaded({ of, reading: { ...element, first: a, second: b } });
    };
    const known = parts.filter((part) => typeof part === 'number');
    if (known.length === parts.length) {
      set(known);
      return;
    }
    Promise.all(parts).then(
      (values) => {
        if (turn.current === mine) set(values);
      },
      // The next reading asks again; a lost device is told by the cell itself.
      () => undefined,
    );
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` stands for the operands' heads
  useEffect(() => {
    if (last.current !== undefined) read(last.current);
  }, [of]);
  return { reading: loaded?.of === of ? loaded.reading : undefined, read };
}

function probabilityOf(
  { head, window }: Operand,
  { query, key }: MapElement,
): number | Promise<number> {
  const known =
    window === undefined
      ? undefined
      : valueAt({ rect: window, layer: windowLayer(window) }, query, key);
  if (known !== undefined) return known;
  const rect = { queryStart: query, queryEnd: query + 1, keyStart: key, keyEnd: key + 1 };
  return head.source
    .lane('reading')
    .window(head.batch, head.head, rect)
    .then(({ probabilities }) => probabilities[0] ?? Number.NaN);
}
