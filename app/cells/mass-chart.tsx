'use client';

import { useEffect, useRef, useState } from 'react';
import type { MassByQuery } from '../../lib/attention/compose/result';
import { massColor, massPlot } from '../../lib/views/charts/mass';
import { formatPercent } from '../../lib/views/format';
import { Region } from '../parts/region';
import { useWidth } from '../views/use-canvas';
import { usePlotLibrary } from '../views/use-plot';
import styles from '../views/views.module.css';

const LEAST_WIDTH = 280;
const TABLE_ROWS = 16;

/** Where the softmax mass of each query lies: stacked areas, or the same as a table. */
export function MassChart({ mass }: { readonly mass: MassByQuery }) {
  const Plot = usePlotLibrary();
  const [isTable, setTable] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 640));
  const description = `share of the softmax mass by query, mean over heads: ${mass.names.join(', ')}`;
  // An area needs two points.
  const isShort = mass.positions.length < 2;
  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined || isTable || isShort) return;
    const figure = Plot.plot({ ...massPlot(Plot, mass, width), ariaLabel: description });
    element.replaceChildren(figure);
    return () => element.replaceChildren();
  }, [Plot, mass, width, isTable, isShort, description]);
  return (
    <Region label="mass by query">
      <div className={styles.tools}>
        <span>softmax mass by query, mean over heads</span>
        {!isShort && (
          <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
            Table
          </button>
        )}
      </div>
      <div ref={box} className={styles.plot} hidden={isTable || isShort} />
      {isTable || isShort ? (
        <MassTable mass={mass} />
      ) : (
        <ul className={styles.legend}>
          {mass.names.map((name, i) => (
            <li key={name}>
              <svg width="12" height="12" aria-hidden="true">
                <rect width="12" height="12" rx="2" fill={massColor(i)} />
              </svg>{' '}
              {name}
            </li>
          ))}
        </ul>
      )}
    </Region>
  );
}

function MassTable({ mass: { names, positions, shares } }: { readonly mass: MassByQuery }) {
  const stride = Math.max(1, Math.ceil(positions.length / TABLE_ROWS));
  const shown = Array.from(positions, (position, bin) => ({ position, bin })).filter(
    ({ bin }) => bin % stride === 0,
  );
  return (
    <div className={styles.scroll}>
      <table>
        <caption className="visually-hidden">mass by query</caption>
        <thead>
          <tr>
            {['query from', ...names].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map(({ position, bin }) => (
            <tr key={position}>
              <th scope="row">{position}</th>
              {names.map((name, i) => (
                <td key={name}>{formatPercent(shares[i * positions.length + bin]!)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
