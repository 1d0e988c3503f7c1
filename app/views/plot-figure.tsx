'use client';

import type * as PlotModule from '@observablehq/plot';
import { useEffect, useRef, useState } from 'react';
import styles from './plot-figure.module.css';
import { useWidth } from './use-canvas';

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
  const [Plot, setPlot] = useState<typeof PlotModule>();
  const width = Math.min(MOST_WIDTH, useWidth(box, 320));
  useEffect(() => {
    // Plot is half of the page's script: it comes when a chart does.
    import('@observablehq/plot').then(setPlot);
  }, []);
  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined) return;
    element.replaceChildren(Plot.plot(options(Plot, width)));
    return () => element.replaceChildren();
  }, [Plot, options, width]);
  return (
    <figure className={styles.figure}>
      <div ref={box} role="img" aria-label={label} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}
