'use client';

import { useMemo } from 'react';
import type { ChunkFit } from '../../lib/attention/recurrent/fast-weight-reference';
import { Region } from '../parts/region';
import { SeriesChart } from '../views/series-chart';
import styles from './results.module.css';

const CHUNK = { label: 'chunk', type: 'linear', format: String } as const;
const COSINE = {
  label: 'mean cosine of f(k) and v',
  type: 'linear',
  format: (value: number) => value.toFixed(2),
} as const;

/** How well the fast weights give the values of each chunk before and after they learnt it. */
export function RecurrentFitView({ fits }: { readonly fits: readonly ChunkFit[] }) {
  const chart = useMemo(
    () => ({
      xs: fits.map((_, i) => i),
      series: [
        { name: 'before the update', values: fits.map(({ before }) => before) },
        { name: 'after it', values: fits.map(({ after }) => after) },
      ],
    }),
    [fits],
  );
  if (fits.length === 0) {
    return <p className={styles.note}>no whole chunk, so the fast weights learnt nothing</p>;
  }
  return (
    <Region label="fast weights">
      <p className={styles.note}>
        fast weights of the first head, learnt chunk by chunk. the values are random, so before its
        update a chunk cannot be known
      </p>
      <SeriesChart
        {...chart}
        x={CHUNK}
        y={COSINE}
        description="fit of the fast weights to each chunk before and after its update"
      />
    </Region>
  );
}
