'use client';

import { useState } from 'react';
import type { Utilisation } from '../../lib/serving/what-if/utilisation';
import { formatPercent, formatSeconds } from '../../lib/views/format';
import { RESOURCE_LABELS, shownResources } from '../../lib/views/what-if-rows';
import styles from './what-if.module.css';

// Drawn many times a second: a path by hand, and no chart library.
const WIDTH = 340;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 20;
const DASHES = ['none', '6 3', '2 3', '8 3 2 3', '1 2'];
const TABLE_ROWS = 24;

const pathOf = (points: readonly (readonly [number, number])[]): string =>
  points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
const yOf = (share: number): number => 6 + (1 - share) * (HEIGHT - BOTTOM - 6);

function Axes({ left, right }: { readonly left: string; readonly right: string }) {
  return (
    <g className={styles.axes}>
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line x1={LEFT} x2={WIDTH} y1={yOf(share)} y2={yOf(share)} />
          <text x={LEFT - 4} y={yOf(share) + 4} textAnchor="end">
            {share * 100} %
          </text>
        </g>
      ))}
      <text x={LEFT} y={HEIGHT - 4}>
        {left}
      </text>
      <text x={WIDTH} y={HEIGHT - 4} textAnchor="end">
        {right}
      </text>
    </g>
  );
}

/** Two distributions over each other, on a logarithmic axis of seconds. */
export function QuantileChart({
  name,
  first,
  second,
}: {
  readonly name: string;
  readonly first: Float64Array;
  readonly second: Float64Array;
}) {
  const known = [...first, ...second].filter((seconds) => seconds > 0);
  if (known.length === 0) return null;
  const low = Math.log(Math.min(...known));
  const high = Math.max(low + 1e-6, Math.log(Math.max(...known)));
  const points = (quantiles: Float64Array) =>
    [...quantiles].flatMap((seconds, q) =>
      seconds > 0
        ? [
            [
              LEFT + ((Math.log(seconds) - low) / (high - low)) * (WIDTH - LEFT),
              yOf(q / (quantiles.length - 1)),
            ] as const,
          ]
        : [],
    );
  const median = (quantiles: Float64Array) =>
    formatSeconds(quantiles[quantiles.length >> 1] ?? Number.NaN);
  return (
    <figure>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`share of requests by ${name}, simulated: median ${median(first)} as it is, ${median(second)} what if`}
      >
        <Axes left={formatSeconds(Math.exp(low))} right={formatSeconds(Math.exp(high))} />
        <path className={styles.line} data-series="1" d={pathOf(points(first))} />
        <path
          className={styles.line}
          data-series="2"
          strokeDasharray="6 3"
          d={pathOf(points(second))}
        />
      </svg>
      <figcaption>share of requests by {name}: line as it is, dashes what if</figcaption>
    </figure>
  );
}

/** Shares of the data sheet's figures over simulated time, and the same as a table. */
export function UtilisationChart({ utilisation }: { readonly utilisation: Utilisation }) {
  const [isTable, setTable] = useState(false);
  const names = shownResources(utilisation);
  const { series, mean, binSeconds } = utilisation;
  const bins = series.compute.length;
  const means = names.map((name) => `${RESOURCE_LABELS[name]} ${formatPercent(mean[name])}`);
  const stride = Math.max(1, Math.ceil(bins / TABLE_ROWS));
  return (
    <figure>
      {isTable ? (
        <div className={styles.scroll}>
          <table aria-label="utilisation over time">
            <thead>
              <tr>
                <th scope="col">from</th>
                {names.map((name) => (
                  <th key={name} scope="col">
                    {RESOURCE_LABELS[name]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {Array.from({ length: Math.ceil(bins / stride) }, (_, row) => row * stride).map(
                (b) => (
                  <tr key={b}>
                    <th scope="row">{formatSeconds(b * binSeconds)}</th>
                    {names.map((name) => (
                      <td key={name}>{formatPercent(series[name][b] ?? Number.NaN)}</td>
                    ))}
                  </tr>
                ),
              )}
            </tbody>
          </table>
        </div>
      ) : (
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          role="img"
          aria-label={`utilisation over time, simulated; mean ${means.join(', ')}`}
        >
          <Axes left="0 s" right={formatSeconds(bins * binSeconds)} />
          {names.map((name, i) => (
            <path
              key={name}
              className={styles.line}
              data-series={i + 1}
              strokeDasharray={DASHES[i]}
              d={pathOf(
                [...series[name]].map(
                  (share, b) => [LEFT + ((b + 0.5) / bins) * (WIDTH - LEFT), yOf(share)] as const,
                ),
              )}
            />
          ))}
        </svg>
      )}
      <figcaption>
        <ul className={styles.legend}>
          {names.map((name, i) => (
            <li key={name}>
              <svg width="28" height="8" aria-hidden="true">
                <line
                  className={styles.line}
                  data-series={i + 1}
                  x1="0"
                  x2="28"
                  y1="4"
                  y2="4"
                  strokeDasharray={DASHES[i]}
                />
              </svg>{' '}
              {means[i]}
            </li>
          ))}
        </ul>
        of the data sheet&apos;s peak: 2 FLOP per weight and token; weights once per iteration and
        all KV in use where it decodes, so bandwidth is bounded from above.{' '}
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Utilisation as a table
        </button>
      </figcaption>
    </figure>
  );
}
