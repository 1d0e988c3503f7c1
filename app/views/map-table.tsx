'use client';

import { useEffect, useState } from 'react';
import type { MapRect, MapWindow } from '../../lib/attention/types';
import { subtractLayers, windowLayer } from '../../lib/views/map/layer';
import type { LabelOf } from '../../lib/views/map/reading';
import type { MapHead } from './use-map-data';
import styles from './views.module.css';

const CELLS = 12;
const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => start + i);
const inWords = (p: number) => (Number.isNaN(p) ? 'masked' : p.toPrecision(3));

interface Props {
  readonly first: MapHead;
  /** Of a difference. */
  readonly second: MapHead | undefined;
  readonly rect: MapRect;
  readonly labelOf: LabelOf;
}

/** The first elements of a rectangle as text: the map's table view. */
export function MapTable({ first, second, rect, labelOf }: Props) {
  const { queryStart, keyStart } = rect;
  const queryEnd = Math.min(rect.queryEnd, queryStart + CELLS);
  const keyEnd = Math.min(rect.keyEnd, keyStart + CELLS);
  const part = { queryStart, queryEnd, keyStart, keyEnd };
  const window = useWindow(first, part);
  const other = useWindow(second, part);
  if (window === undefined || (second !== undefined && other === undefined)) {
    return <p className={styles.note}>reading values</p>;
  }
  const difference =
    other === undefined ? undefined : subtractLayers(windowLayer(window), windowLayer(other));
  const columns = range(window.keyStart, window.keyEnd);
  return (
    <div className={styles.scroll}>
      <table>
        <caption className={styles.note}>
          the first {CELLS} x {CELLS} of what is visible
          {difference === undefined ? '' : ': the difference, and of which two values'}
        </caption>
        <thead>
          <tr>
            <th scope="col">query \ key</th>
            {columns.map((key) => (
              <th key={key} scope="col">
                {key}
                <Label text={labelOf.key(key)} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {range(window.queryStart, window.queryEnd).map((query, r) => (
            <tr key={query}>
              <th scope="row">
                {query}
                <Label text={labelOf.query(query)} />
              </th>
              {columns.map((key, c) => {
                const at = r * columns.length + c;
                const p = window.probabilities[at] as number;
                if (difference === undefined || other === undefined)
                  return <td key={key}>{inWords(p)}</td>;
                return (
                  <td key={key}>
                    {inWords(difference.values[at] as number)}
                    <br />
                    <small>
                      {inWords(p)} − {inWords(other.probabilities[at] as number)}
                    </small>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Label({ text }: { readonly text: string }) {
  return text === '' ? null : <small> {text}</small>;
}

/** A window of a head; while another is on its way there is none. */
function useWindow(mapHead: MapHead | undefined, rect: MapRect): MapWindow | undefined {
  const [loaded, setLoaded] = useState<{ readonly of: string; readonly window: MapWindow }>();
  const of =
    mapHead === undefined
      ? undefined
      : JSON.stringify([mapHead.resultKey, mapHead.batch, mapHead.head, rect]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `of` stands for the head and the rectangle
  useEffect(() => {
    if (mapHead === undefined || of === undefined) return;
    let isCurrent = true;
    mapHead.source
      .lane('table')
      .window(mapHead.batch, mapHead.head, rect)
      .then(
        (window) => isCurrent && setLoaded({ of, window }),
        () => undefined,
      );
    return () => {
      isCurrent = false;
    };
  }, [of]);
  return loaded?.of === of ? loaded?.window : undefined;
}
