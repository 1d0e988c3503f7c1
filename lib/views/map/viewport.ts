import type { MapRect } from '../../attention/types';

/** Visible part of a map in element coordinates; may cut elements. */
export type Viewport = MapRect;

/** Closer than this many elements on a side, there is nothing more to see. */
const LEAST_CELLS = 8;

function clampAxis(start: number, end: number, count: number): readonly [number, number] {
  const length = Math.min(Math.max(end - start, Math.min(LEAST_CELLS, count)), count);
  const from = Math.min(Math.max(start, 0), count - length);
  return [from, from + length];
}

export function clampViewport(view: Viewport, queries: number, keys: number): Viewport {
  const [queryStart, queryEnd] = clampAxis(view.queryStart, view.queryEnd, queries);
  const [keyStart, keyEnd] = clampAxis(view.keyStart, view.keyEnd, keys);
  return { queryStart, queryEnd, keyStart, keyEnd };
}

/** Zooms by `factor` (below 1 is in) about an element, which stays where it is on the screen. */
export function zoomViewport(
  view: Viewport,
  factor: number,
  query: number,
  key: number,
  queries: number,
  keys: number,
): Viewport {
  return clampViewport(
    {
      queryStart: query - (query - view.queryStart) * factor,
      queryEnd: query + (view.queryEnd - query) * factor,
      keyStart: key - (key - view.keyStart) * factor,
      keyEnd: key + (view.keyEnd - key) * factor,
    },
    queries,
    keys,
  );
}

export function panViewport(
  view: Viewport,
  byQueries: number,
  byKeys: number,
  queries: number,
  keys: number,
): Viewport {
  return clampViewport(
    {
      queryStart: view.queryStart + byQueries,
      queryEnd: view.queryEnd + byQueries,
      keyStart: view.keyStart + byKeys,
      keyEnd: view.keyEnd + byKeys,
    },
    queries,
    keys,
  );
}

/** The whole elements that a viewport touches: what an exact window must cover. */
export function touchedRect(view: Viewport, queries: number, keys: number): MapRect {
  return {
    queryStart: Math.max(0, Math.floor(view.queryStart)),
    queryEnd: Math.min(queries, Math.ceil(view.queryEnd)),
    keyStart: Math.max(0, Math.floor(view.keyStart)),
    keyEnd: Math.min(keys, Math.ceil(view.keyEnd)),
  };
}

/** Elements between the places where an exact window may start. */
const SNAP = 64;

/**
 * The exact window to ask for: what the view touches, widened to multiples of 64 elements where that
 * stays within `most` on a side, so that panning asks anew every 64 elements and not at every step.
 */
export function windowRect(view: Viewport, queries: number, keys: number, most: number): MapRect {
  const touched = touchedRect(view, queries, keys);
  const widened = {
    queryStart: SNAP * Math.floor(touched.queryStart / SNAP),
    queryEnd: Math.min(queries, SNAP * Math.ceil(touched.queryEnd / SNAP)),
    keyStart: SNAP * Math.floor(touched.keyStart / SNAP),
    keyEnd: Math.min(keys, SNAP * Math.ceil(touched.keyEnd / SNAP)),
  };
  const fits =
    widened.queryEnd - widened.queryStart <= most && widened.keyEnd - widened.keyStart <= most;
  return fits ? widened : touched;
}

/** The rectangle holds every element that the view shows a part of. */
export function coversView(rect: MapRect, view: Viewport): boolean {
  return (
    rect.queryStart <= view.queryStart &&
    rect.keyStart <= view.keyStart &&
    rect.queryEnd >= view.queryEnd &&
    rect.keyEnd >= view.keyEnd
  );
}

export function sameRect(a: MapRect, b: MapRect): boolean {
  return (
    a.queryStart === b.queryStart &&
    a.queryEnd === b.queryEnd &&
    a.keyStart === b.keyStart &&
    a.keyEnd === b.keyEnd
  );
}

/** A view as it is written into the document. */
export function roundedViewport({ queryStart, queryEnd, keyStart, keyEnd }: Viewport): Viewport {
  const round = (x: number) => Number(x.toFixed(3));
  return {
    queryStart: round(queryStart),
    queryEnd: round(queryEnd),
    keyStart: round(keyStart),
    keyEnd: round(keyEnd),
  };
}
