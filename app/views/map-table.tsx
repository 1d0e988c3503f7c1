'use client';

import { useEffect, useState } from 'react';
import type { MapRect, MapWindow } from '../../lib/attention/types';
import { subtractLayers, windowLayer } from '../../lib/views/map/layer';
import { type MapProfiles, profileAt } from '../../lib/views/map/profiles';
import type { LabelOf } from '../../lib/views/map/reading';
import { ScrollRegion } from '../cells/scroll-region';
import type { MapHead } from './use-map-data';
import styles from './views.module.css';

const CELLS = 12;
const range = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => start + i);
/** Small ones as powers of ten: zeros after the point would make every column wide. */
const inWords = (p: number) =>
  Number.isNaN(p)
    ? 'masked'
    : p !== 0 && Math.abs(p) < 1e-3
      ? p.toExponential(2)
      : p.toPrecision(3);

interface Props {
  readonly first: MapHead;
  /** Of a difference. */
  readonly second: MapHead | undefined;
  readonly rect: MapRect;
  readonly labelOf: LabelOf;
  /** Shown beside the elements; undefined without them. */
  readonly profiles: MapProfiles | undefined;
}

/** Elements of a rectangle as text, some at a time: the map's table view. */
export function MapTable({ first, second, rect, labelOf, profiles }: Props) {
  const [moved, setMoved] = useState({ of: '', queries: 0, keys: 0 });
  const of = JSON.stringify(rect);
  const by = moved.of === of ? moved : { queries: 0, keys: 0 };
  const queryStart = rect.queryStart + by.queries;
  const keyStart = rect.keyStart + by.keys;
  const queryEnd = Math.min(rect.queryEnd, queryStart + CELLS);
  const keyEnd = Math.min(rect.keyEnd, keyStart + CELLS);
  const part = { queryStart, queryEnd, keyStart, keyEnd };
  const window = useWindow(first, part);
  const other = useWindow(second, part);
  const step = (text: string, byQueries: number, byKeys: number) => {
    const next = { of, queries: by.queries + byQueries, keys: by.keys + byKeys };
    const isThere =
      next.queries >= 0 &&
      next.keys >= 0 &&
      rect.queryStart + next.queries < rect.queryEnd &&
      rect.keyStart + next.keys < rect.keyEnd;
    return (
      // Not disabled: a button that is loses the focus when its end is reached.
      <button
        type="button"
        aria-disabled={!isThere}
        onClick={() => {
          if (isThere) setMoved(next);
        }}
      >
        {text}
      </button>
    );
  };
  const tools = (
    <div className={styles.tools}>
      {step('Earlier queries', -CELLS, 0)}
      {step('Later queries', CELLS, 0)}
      {step('Earlier keys', 0, -CELLS)}
      {step('Later keys', 0, CELLS)}
    </div>
  );
  if (window === undefined || (second !== undefined && other === undefined)) {
    return (
      <>
        {tools}
        <p className={styles.note}>reading values</p>
      </>
    );
  }
  const difference =
    other === undefined ? undefined : subtractLayers(windowLayer(window), windowLayer(other));
  const columns = range(window.keyStart, window.keyEnd);
  const profileText = (value: number | undefined) => (value === undefined ? '' : inWords(value));
  const table = (
    <ScrollRegion label="elements of the map" className={styles.scroll}>
      <table>
        <caption className={styles.note}>
          queries {queryStart} to {queryEnd - 1} and keys {keyStart} to {keyEnd - 1} of what is
          visible{difference === undefined ? '' : ': the difference, and of which two values'}
          {profiles === undefined
            ? ''
            : '; the largest that each query gives and the mean that each key receives are of all that is visible'}
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
            {profiles !== undefined && <th scope="col">largest</th>}
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
              {profiles !== undefined && <td>{profileText(profileAt(profiles.queries, query))}</td>}
            </tr>
          ))}
        </tbody>
        {profiles !== undefined && (
          <tfoot>
            <tr>
              <th scope="row">mean</th>
              {columns.map((key) => (
                <td key={key}>{profileText(profileAt(profiles.keys, key))}</td>
              ))}
              <td />
            </tr>
          </tfoot>
        )}
      </table>
    </ScrollRegion>
  );
  return (
    <>
      {tools}
      {table}
    </>
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
