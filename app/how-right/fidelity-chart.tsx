'use client';

import type * as PlotModule from '@observablehq/plot';
import { useEffect, useId, useRef, useState } from 'react';
import { cdfChart, scatterChart } from '../../lib/views/charts/fidelity';
import type { LatencyPair } from '../../lib/views/fidelity-rows';
import { useWidth } from '../views/use-canvas';
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
  const [Plot, setPlot] = useState<typeof PlotModule>();
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 480));
  useEffect(() => {
    // Plot is half of the page's script: it comes when a chart does.
    import('@observablehq/plot').then(setPlot);
  }, []);
  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined) return;
    element.replaceChildren(Plot.plot(CHARTS[kind](Plot, pairs, width)));
    return () => element.replaceChildren();
  }, [Plot, kind, pairs, width]);
  return (
    <figure className={styles.figure}>
      <figcaption id={id}>{title}</figcaption>
      <div ref={box} role="img" aria-labelledby={id} className={styles.plot} />
    </figure>
  );
}
