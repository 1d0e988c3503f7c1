'use client';

import { useEffect, useState } from 'react';
import type { MapRect, MapWindow } from '../../lib/attention/types';
import type { MapHead } from './use-map-data';
import styles from './views.module.css';

const CELLS = 12;
const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => start + i);

/** The first elements of a rectangle as text: the map's table view. */
export function MapTable({ mapHead, rect }: { readonly mapHead: MapHead; readonly rect: MapRect }) {
  const { source, batch, head } = mapHead;
  const [part, setPart] = useState<MapWindow>();
  const { queryStart, keyStart } = rect;
  const queryEnd = Math.min(rect.queryEnd, queryStart + CELLS);
  const keyEnd = Math.min(rect.keyEnd, keyStart + CELLS);
  useEffect(() => {
    let isCurrent = true;
    source.window(batch, head, { queryStart, queryEnd, keyStart, keyEnd }).then(
      (next) => isCurrent && setPart(next),
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [source, batch, head, queryStart, queryEnd, keyStart, keyEnd]);
  if (part === undefined) return <p className={styles.note}>reading values</p>;
  const columns = range(part.keyStart, part.keyEnd);
  return (
    <div className={styles.scroll}>
      <table>
        <caption className={styles.note}>
          the first {CELLS} x {CELLS} of what is visible
        </caption>
        <thead>
          <tr>
            <th scope="col">query \ key</th>
            {columns.map((key) => (
              <th key={key} scope="col">
                {key}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {range(part.queryStart, part.queryEnd).map((query, r) => (
            <tr key={query}>
              <th scope="row">{query}</th>
              {columns.map((key, c) => {
                const p = part.probabilities[r * columns.length + c] as number;
                return <td key={key}>{Number.isNaN(p) ? 'masked' : p.toPrecision(3)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
