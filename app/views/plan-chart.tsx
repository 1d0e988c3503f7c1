'use client';

import { useCallback, useRef } from 'react';
import type { PlanResult } from '../../lib/serving/plan/result';
import { PLAN_AXES, type PlanAxis, planChart, planChartLabel } from '../../lib/views/charts/plan';
import { useWidth } from './use-canvas';
import { type PlotLibrary, usePlot } from './use-plot';
import styles from './views.module.css';

const LEAST_WIDTH = 280;

/** Plans as points, by Observable Plot; a table with the same numbers stands beside it. */
export function PlanChart({
  result,
  axis,
}: {
  readonly result: PlanResult;
  readonly axis: PlanAxis;
}) {
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 640));
  const picture = useCallback(
    (Plot: PlotLibrary, width: number) => planChart(Plot, result, axis, width),
    [result, axis],
  );
  usePlot(box, picture, width);
  return (
    <>
      <div
        ref={box}
        className={styles.plot}
        role="img"
        aria-label={planChartLabel(result, axis)}
        style={{ minHeight: 300 }}
      />
      <p className={styles.note}>
        circle: colocated; square: prefill and decode pools; filled: on the Pareto front of goodput
        per accelerator, price and energy; named: the chosen plan
      </p>
    </>
  );
}

/** What goodput is drawn against. */
export function PlanAxisChoice({
  axis,
  onChange,
}: {
  readonly axis: PlanAxis;
  readonly onChange: (axis: PlanAxis) => void;
}) {
  return (
    <label>
      against{' '}
      <select value={axis} onChange={(event) => onChange(event.target.value as PlanAxis)}>
        {Object.entries(PLAN_AXES).map(([id, { title }]) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
