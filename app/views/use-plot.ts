'use client';

import type * as PlotModule from '@observablehq/plot';
import { type RefObject, useEffect, useState } from 'react';

export type PlotLibrary = typeof PlotModule;

/** Observable Plot, undefined until it has come: half of the page's script waits for a first chart. */
export function usePlotLibrary(): PlotLibrary | undefined {
  const [Plot, setPlot] = useState<PlotLibrary>();
  useEffect(() => {
    import('@observablehq/plot').then(setPlot);
  }, []);
  return Plot;
}

/**
 * Draws a plot into an element.
 *
 * @param options the same function for the same picture: another one draws again
 */
export function usePlot(
  box: RefObject<HTMLElement | null>,
  options: (Plot: PlotLibrary, width: number) => PlotModule.PlotOptions,
  width: number,
): void {
  const Plot = usePlotLibrary();
  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined) return;
    element.replaceChildren(Plot.plot(options(Plot, width)));
    return () => element.replaceChildren();
  }, [box, Plot, options, width]);
}
