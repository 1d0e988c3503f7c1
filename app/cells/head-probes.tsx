'use client';

import { useState } from 'react';
import type { HeadProbe } from '../../lib/evaluate/head-probes';
import {
  HEAD_MEASURES,
  type HeadMeasure,
  headsByLayer,
  MEASURE_NAMES,
  MEASURE_TEXTS,
  retrievingHead,
  shadeOf,
} from '../../lib/views/head-grid';
import { Region } from '../parts/region';
import styles from './head-probes.module.css';
import { ScrollRegion } from './scroll-region';

interface Props {
  readonly heads: readonly HeadProbe[];
  /** Shows the attention of a layer on a text; gives the sentence why not, or undefined. */
  readonly onAttention: (layer: number) => string | undefined;
}

/** What every query head does: a small grid per measure, and all numbers as a table. */
export function HeadProbes({ heads, onAttention }: Props) {
  const best = retrievingHead(heads);
  const layers = headsByLayer(heads);
  const [chosen, setLayer] = useState<number>();
  const [isTable, setTable] = useState(false);
  const [said, setSaid] = useState('');
  if (best === undefined) return null;
  const layer = chosen ?? best.layer;
  return (
    <Region className={styles.probes} label="what heads do">
      <div className={styles.bar}>
        <strong>What heads do</strong>
        <span className={styles.note}>a row per layer, a column per query head</span>
        <label>
          <input
            type="checkbox"
            checked={isTable}
            onChange={({ target }) => setTable(target.checked)}
          />{' '}
          as a table
        </label>
      </div>
      {isTable ? (
        <ProbeTable heads={heads} />
      ) : (
        <div className={styles.grids}>
          {HEAD_MEASURES.map((measure) => (
            <Grid key={measure} heads={heads} layers={layers} measure={measure} />
          ))}
        </div>
      )}
      <div className={styles.bar}>
        <label>
          layer{' '}
          <select value={layer} onChange={({ target }) => setLayer(Number(target.value))}>
            {layers.map((_, each) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a layer is its number
              <option key={each} value={each}>
                {each}
                {each === best.layer ? ' (retrieves)' : ''}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          onClick={() =>
            setSaid(
              onAttention(layer) ?? `attention of layer ${layer} added at the end of the notebook`,
            )
          }
        >
          look at attention
        </button>
        <span role="status" className={styles.note}>
          {said}
        </span>
      </div>
    </Region>
  );
}

interface GridProps {
  readonly heads: readonly HeadProbe[];
  readonly layers: readonly (readonly HeadProbe[])[];
  readonly measure: HeadMeasure;
}

function Grid({ heads, layers, measure }: GridProps) {
  const shades = shadeOf(heads, measure);
  const most = heads.reduce((a, b) => (b[measure] > a[measure] ? b : a));
  const largest = `${most[measure].toFixed(2)} in layer ${most.layer}, head ${most.head}`;
  return (
    <figure className={styles.grid}>
      <figcaption title={MEASURE_TEXTS[measure]}>{MEASURE_NAMES[measure]}</figcaption>
      <div
        className={styles.squares}
        role="img"
        aria-label={`${MEASURE_NAMES[measure]}: ${MEASURE_TEXTS[measure]}; largest ${largest}`}
        style={{ '--columns': layers[0]?.length ?? 1 } as React.CSSProperties}
      >
        {heads.map((head, i) => (
          <span
            key={`${head.layer} ${head.head}`}
            title={`layer ${head.layer}, head ${head.head}: ${head[measure].toFixed(3)}`}
            style={{ '--share': (shades[i] ?? 0).toFixed(3) } as React.CSSProperties}
          />
        ))}
      </div>
      <small>largest {largest}</small>
    </figure>
  );
}

function ProbeTable({ heads }: { readonly heads: readonly HeadProbe[] }) {
  return (
    <ScrollRegion label="probes of heads" className={styles.scroll}>
      <table>
        <caption>Means over texts; entropy in nats</caption>
        <thead>
          <tr>
            <th scope="col">layer</th>
            <th scope="col">head</th>
            {HEAD_MEASURES.map((measure) => (
              <th key={measure} scope="col" title={MEASURE_TEXTS[measure]}>
                {MEASURE_NAMES[measure]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {heads.map((head) => (
            <tr key={`${head.layer} ${head.head}`}>
              <td>{head.layer}</td>
              <td>{head.head}</td>
              {HEAD_MEASURES.map((measure) => (
                <td key={measure}>{head[measure].toFixed(3)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
