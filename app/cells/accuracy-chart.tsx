'use client';

import { useCallback, useMemo, useRef } from 'react';
import type { CacheResult } from '../../lib/evaluate/cell-result';
import {
  type AccuracyPoint,
  accuracyChart,
  accuracyLabel,
  accuracyPoints,
} from '../../lib/views/charts/accuracy-bytes';
import { useWidth } from '../views/use-canvas';
import { type PlotLibrary, usePlot } from '../views/use-plot';
import styles from './cache.module.css';

const MOST_WIDTH = 720;

/** Accuracy against bytes per token; the table of policies has the same numbers. */
export function AccuracyChart({ result }: { readonly result: CacheResult }) {
  const points = useMemo(() => accuracyPoints(result), [result]);
  // Apart, so that the width is watched from when there is a chart: a partial result has no points at first.
  return points.length === 0 ? null : <Chart points={points} />;
}

function Chart({ points }: { readonly points: readonly AccuracyPoint[] }) {
  const box = useRef<HTMLDivElement>(null);
  const width = Math.min(MOST_WIDTH, useWidth(box, 320));
  const picture = useCallback(
    (Plot: PlotLibrary, width: number) => accuracyChart(Plot, points, width),
    [points],
  );
  usePlot(box, picture, width);
  return (
    <figure className={styles.chart}>
      <div ref={box} role="img" aria-label={accuracyLabel(points)} />
      <figcaption>
        up and to the left is better; bars are 95 % Wilson intervals, a line joins one policy's
        budgets, the dashed line is chance, and a hollow dot is an oracle that looks at the answer
      </figcaption>
    </figure>
  );
}
