'use client';

import { useMemo } from 'react';
import type { WindowReconstruction } from '../../lib/attention/recurrent/legendre-window';
import { formatError } from '../../lib/views/format';
import { Region } from '../parts/region';
import { SeriesChart } from '../views/series-chart';
import styles from './results.module.css';

const BACK = { label: 'tokens back', type: 'linear', format: String } as const;
const ERROR = { label: 'relative error', type: 'log', format: formatError } as const;

/** The sliding window as read from a Legendre memory's state: error by order, and over the window. */
export function RecurrentWindowView({ window }: { readonly window: WindowReconstruction }) {
  const series = useMemo(
    () => [
      { name: 'smooth signal', values: window.smoothErrorsBack },
      { name: 'white noise', values: window.noiseErrorsBack },
    ],
    [window],
  );
  const rows: readonly (readonly [string, readonly number[]])[] = [
    ['smooth signal', window.smoothErrors],
    ['white noise', window.noiseErrors],
  ];
  const order = window.orders.at(-1);
  return (
    <Region label="window">
      <p className={styles.note}>
        the last {window.windowTokens} tokens read back from the state alone by shifted Legendre
        polynomials, in f64: relative error. the smooth signal has at most 3 periods in the window;
        no weights, so nothing is trained
      </p>
      <div className={styles.scroll}>
        <table>
          <caption className="visually-hidden">error by coefficients</caption>
          <thead>
            <tr>
              <th scope="col">coefficients</th>
              {window.orders.map((each) => (
                <th key={each} scope="col">
                  {each}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, errors]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {errors.map((each, i) => (
                  <td key={window.orders[i]}>{formatError(each)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <SeriesChart
        xs={window.tokensBack}
        series={series}
        x={BACK}
        y={ERROR}
        description={`error over the window with ${order} coefficients, logarithmic`}
      />
    </Region>
  );
}
