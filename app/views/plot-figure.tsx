'use client';

import type * as PlotModule from '@observablehq/plot';
import { useRef } from 'react';
import styles from './plot-figure.module.css';
import { useWidth } from './use-canvas';
import { usePlot } from './use-plot';

const MOST_WIDTH = 720;

interface Props {
  /** The same function for the same picture: another one draws again. */
  readonly options: (Plot: typeof PlotModule, width: number) => PlotModule.PlotOptions;
  /** What the picture says, for those who do not see it. */
  readonly label: string;
  readonly caption: string;
}

/** A picture by Observable Plot; whoever shows one has a table of the same numbers beside it. */
export function PlotFigure({ options, label, caption }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = Math.min(MOST_WIDTH, useWidth(box, 320));
  usePlot(box, options, width);
  return (
    <figure className={styles.figure}>
      <div ref={box} role="img" aria-label={label} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}
