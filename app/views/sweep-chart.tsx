'use client';

import { useCallback, useRef } from 'react';
import {
  SWEEP_MEASURES,
  type SweepMeasure,
  type SweepSeries,
  sweepChart,
  sweepLabel,
} from '../../lib/views/charts/sweep';
import { useWidth } from './use-canvas';
import { type PlotLibrary, usePlot } from './use-plot';
import styles from './views.module.css';

const LEAST_WIDTH = 280;

interface Props {
  readonly series: readonly SweepSeries[];
  readonly measure: SweepMeasure;
}

/** A measure against the rate of arrivals, by Observable Plot; a table with the same numbers stands beside it. */
export function SweepChart({ series, measure }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 640));
  const picture = useCallback(
    (Plot: PlotLibrary, width: number) => sweepChart(Plot, series, measure, width),
    [series, measure],
  );
  usePlot(box, picture, width);
  return (
    <>
      <div
        ref={box}
        className={styles.plot}
        role="img"
        aria-label={sweepLabel(series, measure)}
        style={{ minHeight: 280 }}
      />
      <p className={styles.note}>
        line: mean over the seeds; band: least to most; ×: a queue that grows without bound; dashed:
        the SLO; dotted: the highest rate that holds
      </p>
    </>
  );
}

/** Which measure is drawn. */
export function MeasureChoice({
  measure,
  onChange,
}: {
  readonly measure: SweepMeasure;
  readonly onChange: (measure: SweepMeasure) => void;
}) {
  return (
    <label>
      show{' '}
      <select value={measure} onChange={(event) => onChange(event.target.value as SweepMeasure)}>
        {Object.entries(SWEEP_MEASURES).map(([id, { title }]) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
