import { cellStart } from '../../attention/map';
import type { MapBase, MapRect, MapWindow } from '../../attention/types';
import type { Viewport } from './viewport';

/** Values along one axis: value i covers elements [from + i step, from + (i + 1) step). */
export interface Profile {
  readonly from: number;
  readonly step: number;
  readonly values: Float32Array;
}

/** Marginals of the part of a map that is in view. */
export interface MapProfiles {
  /** Per key: the mean over the queries in view of the probability that it receives. */
  readonly keys: Profile;
  /** Per query: the largest probability among the keys in view, NaN where it sees none; of signed weights the one of largest magnitude. */
  readonly queries: Profile;
  /** Differences and signed weights: values of either sign. */
  readonly isSigned: boolean;
}

/** Cells of a base that a viewport touches, [start, end). */
export interface CellRange {
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly columnStart: number;
  readonly columnEnd: number;
}

export function touchedCells(base: MapBase, view: Viewport): CellRange {
  const perRow = base.queries / base.rows;
  const perColumn = base.keys / base.columns;
  return {
    rowStart: Math.max(0, Math.floor(view.queryStart / perRow)),
    rowEnd: Math.min(base.rows, Math.ceil(view.queryEnd / perRow)),
    columnStart: Math.max(0, Math.floor(view.keyStart / perColumn)),
    columnEnd: Math.min(base.columns, Math.ceil(view.keyEnd / perColumn)),
  };
}

/** Profiles of some cells of a base; `masses` are its `cellMasses`. */
export function baseProfiles(
  base: MapBase,
  masses: Float32Array,
  range: CellRange,
  isSigned = false,
): MapProfiles {
  const { rows, columns, queries, keys, max } = base;
  const { rowStart, rowEnd, columnStart, columnEnd } = range;
  const received = new Float32Array(columnEnd - columnStart);
  const largest = new Float32Array(rowEnd - rowStart).fill(Number.NaN);
  for (let r = rowStart; r < rowEnd; r++) {
    for (let c = columnStart; c < columnEnd; c++) {
      const at = r * columns + c;
      received[c - columnStart] = (received[c - columnStart] as number) + (masses[at] as number);
      keepLargest(largest, r - rowStart, max[at] as number);
    }
  }
  const seen = cellStart(rowEnd, queries, rows) - cellStart(rowStart, queries, rows);
  for (let c = columnStart; c < columnEnd; c++) {
    const count = cellStart(c + 1, keys, columns) - cellStart(c, keys, columns);
    received[c - columnStart] = (received[c - columnStart] as number) / (seen * count);
  }
  const perKey = keys / columns;
  const perQuery = queries / rows;
  return {
    keys: { from: columnStart * perKey, step: perKey, values: received },
    queries: { from: rowStart * perQuery, step: perQuery, values: largest },
    isSigned,
  };
}

/** Exact profiles of a part of a window, by default all of it: every element is there. */
export function windowProfiles(
  window: MapWindow,
  part: MapRect = window,
  isSigned = false,
): MapProfiles {
  const { queryStart, queryEnd, keyStart, keyEnd } = part;
  const { probabilities } = window;
  const columns = keyEnd - keyStart;
  const rows = queryEnd - queryStart;
  const stride = window.keyEnd - window.keyStart;
  const first = (queryStart - window.queryStart) * stride + keyStart - window.keyStart;
  const received = new Float32Array(columns);
  const largest = new Float32Array(rows).fill(Number.NaN);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const p = probabilities[first + r * stride + c] as number;
      if (Number.isNaN(p)) continue;
      received[c] = (received[c] as number) + p / rows;
      keepLargest(largest, r, p);
    }
  }
  return {
    keys: { from: keyStart, step: 1, values: received },
    queries: { from: queryStart, step: 1, values: largest },
    isSigned,
  };
}

function keepLargest(largest: Float32Array, at: number, value: number): void {
  const known = largest[at] as number;
  // A masked one is NaN, which no comparison lets through.
  if (Math.abs(value) >= (Number.isNaN(known) ? 0 : Math.abs(known))) largest[at] = value;
}

/** First minus second, which counts as 0 where nothing is seen by one of them; both cover the same cells. */
export function subtractProfiles(first: MapProfiles, second: MapProfiles): MapProfiles {
  const minus = (a: Profile, b: Profile): Profile => ({
    ...a,
    values: a.values.map((value, i) => {
      const other = b.values[i] as number;
      return Number.isNaN(value) && Number.isNaN(other) ? Number.NaN : (value || 0) - (other || 0);
    }),
  });
  return {
    keys: minus(first.keys, second.keys),
    queries: minus(first.queries, second.queries),
    isSigned: true,
  };
}

/** The value that covers an element; undefined outside. */
export function profileAt({ from, step, values }: Profile, element: number): number | undefined {
  return values[Math.floor((element + 0.5 - from) / step)];
}

/** Largest magnitude of a profile's own axis: 1 on a log scale, so that panning does not move it. */
export function profileTop({ values }: Profile, scale: 'log' | 'linear'): number {
  if (scale === 'log') return 1;
  const top = values.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0);
  return top > 0 ? top : 1;
}
