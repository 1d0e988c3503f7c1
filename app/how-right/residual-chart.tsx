'use client';

import type * as PlotModule from '@observablehq/plot';
import { useEffect, useId, useRef, useState } from 'react';
import { residualChart } from '../../lib/views/charts/residuals';
import type { ResidualPoint } from '../../lib/views/residual-rows';
import { useWidth } from '../views/use-canvas';
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
  const [Plot, setPlot] = useState<typeof PlotModule>();
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 480));
  useEffect(() => {
    import('@observablehq/plot').then(setPlot);
  }, []);
  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined) return;
    element.replaceChildren(Plot.plot(residualChart(Plot, points, width)));
    return () => element.replaceChildren();
  }, [Plot, points, width]);
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
