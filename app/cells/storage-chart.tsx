'use client';

import type * as PlotModule from '@observablehq/plot';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { StorageResult } from '../../lib/attention/decode/result';
import { storageChart, storageChartLabel, storagePoints } from '../../lib/views/charts/storages';
import { useWidth } from '../views/use-canvas';
import styles from './decode.module.css';

const MOST_WIDTH = 640;

/** Output error against bytes per token; the table of storages beside it has the same numbers. */
export function StorageChart({ storages }: { readonly storages: readonly StorageResult[] }) {
  const box = useRef<HTMLDivElement>(null);
  const [Plot, setPlot] = useState<typeof PlotModule>();
  const width = Math.min(MOST_WIDTH, useWidth(box, 320));
  const points = useMemo(() => storagePoints(storages), [storages]);
  useEffect(() => {
    // Plot is half of the page's script: it comes when a chart does.
    import('@observablehq/plot').then(setPlot);
  }, []);
  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined) return;
    element.replaceChildren(Plot.plot(storageChart(Plot, points, width)));
    return () => element.replaceChildren();
  }, [Plot, points, width]);
  return (
    <figure className={styles.chart}>
      <div ref={box} role="img" aria-label={storageChartLabel(points)} />
      <figcaption>
        down and to the left is better; the table has the same numbers, columns bytes per token and
        output error
      </figcaption>
    </figure>
  );
}
