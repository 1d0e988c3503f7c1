'use client';

import { useCallback, useId, useRef } from 'react';
import { residualChart } from '../../lib/views/charts/residuals';
import type { ResidualPoint } from '../../lib/views/residual-rows';
import { useWidth } from '../views/use-canvas';
import { type PlotLibrary, usePlot } from '../views/use-plot';
import styles from './how-right.module.css';

const LEAST_WIDTH = 280;

/** Fitted against measured by Observable Plot; the table beside it has the same rows. */
export function ResidualChart({
  points,
  title,
}: {
  readonly points: readonly ResidualPoint[];
  readonly title: string;
}) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 480));
  const picture = useCallback(
    (Plot: PlotLibrary, width: number) => residualChart(Plot, points, width),
    [points],
  );
  usePlot(box, picture, width);
  return (
    <figure className={styles.figure}>
      <figcaption id={id}>
        {title}
        <span className={styles.key}>
          <span aria-hidden="true" data-kind="fitted">
            {'\u25cf'}
          </span>{' '}
          fitted on{' '}
          <span aria-hidden="true" data-kind="held">
            {'\u25c6'}
          </span>{' '}
          held out
        </span>
      </figcaption>
      <div ref={box} role="img" aria-labelledby={id} className={styles.plot} />
    </figure>
  );
}
