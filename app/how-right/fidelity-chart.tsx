'use client';

import { useCallback, useId, useRef } from 'react';
import { cdfChart, scatterChart } from '../../lib/views/charts/fidelity';
import type { LatencyPair } from '../../lib/views/fidelity-rows';
import { useWidth } from '../views/use-canvas';
import { type PlotLibrary, usePlot } from '../views/use-plot';
import styles from './how-right.module.css';

interface Props {
  readonly kind: 'scatter' | 'cdf';
  readonly pairs: readonly LatencyPair[];
  readonly title: string;
}

const LEAST_WIDTH = 280;
const CHARTS = { scatter: scatterChart, cdf: cdfChart } as const;

/** One chart by Observable Plot; the tables beside it have the same numbers. */
export function FidelityChart({ kind, pairs, title }: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 480));
  const picture = useCallback(
    (Plot: PlotLibrary, width: number) => CHARTS[kind](Plot, pairs, width),
    [kind, pairs],
  );
  usePlot(box, picture, width);
  return (
    <figure className={styles.figure}>
      <figcaption id={id}>{title}</figcaption>
      <div ref={box} role="img" aria-labelledby={id} className={styles.plot} />
    </figure>
  );
}
