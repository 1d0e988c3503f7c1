'use client';

import { useCallback, useMemo, useRef } from 'react';
import type { StorageResult } from '../../lib/attention/decode/result';
import { storageChart, storageChartLabel, storagePoints } from '../../lib/views/charts/storages';
import { useWidth } from '../views/use-canvas';
import { type PlotLibrary, usePlot } from '../views/use-plot';
import styles from './decode.module.css';

const MOST_WIDTH = 640;

/** Output error against bytes per token; the table of storages beside it has the same numbers. */
export function StorageChart({ storages }: { readonly storages: readonly StorageResult[] }) {
  const box = useRef<HTMLDivElement>(null);
  const width = Math.min(MOST_WIDTH, useWidth(box, 320));
  const points = useMemo(() => storagePoints(storages), [storages]);
  const picture = useCallback(
    (Plot: PlotLibrary, width: number) => storageChart(Plot, points, width),
    [points],
  );
  usePlot(box, picture, width);
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
