'use client';

import { useEffect, useRef, useState } from 'react';
import { ScrollRegion } from '../cells/scroll-region';
import { useWidth } from './use-canvas';
import { usePlotLibrary } from './use-plot';
import styles from './views.module.css';

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

interface Axis {
  readonly label: string;
  readonly type: 'log' | 'linear';
  /** Of a logarithmic axis: 2 where units go by 1024, else 10. */
  readonly base?: 2 | 10;
  readonly format: (value: number) => string;
}

interface Props {
  /** Positions that all series share. */
  readonly xs: readonly number[];
  readonly series: readonly Series[];
  readonly x: Axis;
  readonly y: Axis;
  readonly description: string;
}

const LEAST_WIDTH = 280;
const MOST_TICKS = 6;
const DASHES = ['none', '6 3', '2 3', '8 3 2 3'];

/** At most six whole powers of the base over the positive values. */
function powerTicks(values: readonly number[], base: number): number[] {
  const logs = values.filter((value) => value > 0).map((value) => Math.log(value) / Math.log(base));
  const low = Math.ceil(Math.min(...logs) - 1e-9);
  const high = Math.floor(Math.max(...logs) + 1e-9);
  const step = Math.max(1, Math.ceil((high - low + 1) / MOST_TICKS));
  const count = Math.max(0, Math.floor((high - low) / step) + 1);
  return Array.from({ length: count }, (_, i) => base ** (low + i * step));
}

/** Lines over a shared axis by Observable Plot, and the same numbers as a table. */
export function SeriesChart({ xs, series, x, y, description }: Props) {
  const Plot = usePlotLibrary();
  const [isTable, setTable] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 640));
  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined || isTable) return;
    const axis = ({ label, type, format, base = 10 }: Axis, values: readonly number[]) => ({
      type,
      // Plot leaves labels out that are no round numbers in the scale's base.
      ...(type === 'log' && { base }),
      label,
      grid: true,
      ticks: type === 'log' ? powerTicks(values, base) : 5,
      tickFormat: format,
    });
    const figure = Plot.plot({
      width,
      height: 240,
      marginLeft: 60,
      marginBottom: 36,
      style: { background: 'none', color: 'var(--ink)' },
      ariaLabel: description,
      x: axis(x, xs),
      y: axis(
        y,
        series.flatMap(({ values }) => values),
      ),
      marks: series.map(({ values }, i) =>
        Plot.line(
          xs.flatMap((position, j) =>
            // A logarithm has no place for zero.
            y.type === 'log' && !(values[j]! > 0) ? [] : [[position, values[j]!] as const],
          ),
          {
            stroke: `var(--series-${i + 1})`,
            strokeWidth: 2,
            strokeDasharray: DASHES[i % DASHES.length] ?? 'none',
          },
        ),
      ),
    });
    element.replaceChildren(figure);
    return () => element.replaceChildren();
  }, [Plot, xs, series, x, y, description, width, isTable]);
  return (
    <>
      <div className={styles.tools}>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </div>
      <div ref={box} className={styles.plot} hidden={isTable} role="img" aria-label={description} />
      {!isTable && (
        <ul className={styles.legend}>
          {series.map(({ name }, i) => (
            <li key={name}>
              <svg width="28" height="8" aria-hidden="true">
                <line
                  x1="0"
                  x2="28"
                  y1="4"
                  y2="4"
                  stroke={`var(--series-${i + 1})`}
                  strokeWidth="2"
                  strokeDasharray={DASHES[i % DASHES.length]}
                />
              </svg>{' '}
              {name}
            </li>
          ))}
        </ul>
      )}
      {isTable && (
        <ScrollRegion className={styles.scroll} label={description}>
          <table>
            <caption className="visually-hidden">{description}</caption>
            <thead>
              <tr>
                <th scope="col">{x.label}</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {xs.map((position, j) => (
                <tr key={position}>
                  <th scope="row">{x.format(position)}</th>
                  {series.map(({ name, values }) => (
                    <td key={name}>{y.format(values[j]!)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollRegion>
      )}
    </>
  );
}
