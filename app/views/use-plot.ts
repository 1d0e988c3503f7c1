'use client';

import type * as PlotModule from '@observablehq/plot';
import { type RefObject, useEffect, useState } from 'react';

export type PlotLibrary = typeof PlotModule;

/**
 * Plot names every group of marks (`rule`, `dot`), which ARIA forbids on groups without a role and
 * which says nothing: the picture has one name, and a table beside it has the numbers.
 */
function namedOnce(library: PlotLibrary): PlotLibrary {
  const plot: PlotLibrary['plot'] = (options) => {
    const figure = library.plot(options);
    for (const group of figure.querySelectorAll('g[aria-label]')) {
      group.setAttribute('aria-hidden', 'true');
    }
    return figure;
  };
  return { ...library, plot };
}

/** Observable Plot, undefined until it has come: half of the page's script waits for a first chart. */
export function usePlotLibrary(): PlotLibrary | undefined {
  const [Plot, setPlot] = useState<PlotLibrary>();
  useEffect(() => {
    import('@observablehq/plot').then((library) => setPlot(namedOnce(library)));
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
