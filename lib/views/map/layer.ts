import type { MapBase, MapRect, MapWindow } from '../../attention/types';

/** Which operand of a difference is masked at a cell. */
export const SIDE = { both: 0, firstOnly: 1, secondOnly: 2, neither: 3 } as const;

/** Numbers to paint, row-major [rows, columns]; NaN where masked. */
export interface MapLayer {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  /** Of a difference or of signed weights: which operands are seen at each cell, by `SIDE`; undefined for probabilities. */
  readonly sides: Uint8Array | undefined;
}

/** Exact values of a rectangle. */
export interface MapExact {
  readonly rect: MapRect;
  readonly layer: MapLayer;
}

export function baseLayer(base: MapBase, aggregate: 'max' | 'mean', isSigned = false): MapLayer {
  const { rows, columns } = base;
  const values = aggregate === 'max' ? base.max : base.mean;
  return { rows, columns, values, sides: isSigned ? ownSides(values) : undefined };
}

export function windowLayer(window: MapWindow, isSigned = false): MapLayer {
  const values = window.probabilities;
  return {
    rows: window.queryEnd - window.queryStart,
    columns: window.keyEnd - window.keyStart,
    values,
    sides: isSigned ? ownSides(values) : undefined,
  };
}

/** Sides of weights that are no difference: nothing is seen by one operand only. */
function ownSides(values: Float32Array): Uint8Array {
  return Uint8Array.from(values, (value) => (Number.isNaN(value) ? SIDE.neither : SIDE.both));
}

/**
 * First minus second, cell by cell. Where one of them is masked it counts as 0, which is the
 * probability that its query gives that key; where both are, the difference is NaN.
 *
 * @throws RangeError when the grids differ
 */
export function subtractLayers(first: MapLayer, second: MapLayer): MapLayer {
  const { rows, columns } = first;
  if (rows !== second.rows || columns !== second.columns) {
    throw new RangeError(
      `invalid difference: ${rows} x ${columns} cells minus ${second.rows} x ${second.columns} (expected the same grid)`,
    );
  }
  const values = new Float32Array(rows * columns);
  const sides = new Uint8Array(rows * columns);
  for (let i = 0; i < values.length; i++) {
    const a = first.values[i] as number;
    const b = second.values[i] as number;
    const isFirst = !Number.isNaN(a);
    const isSecond = !Number.isNaN(b);
    sides[i] = isFirst
      ? isSecond
        ? SIDE.both
        : SIDE.firstOnly
      : isSecond
        ? SIDE.secondOnly
        : SIDE.neither;
    values[i] = isFirst || isSecond ? (isFirst ? a : 0) - (isSecond ? b : 0) : Number.NaN;
  }
  return { rows, columns, values, sides };
}

/**
 * Largest magnitude of the scale: 1 for maxima, as for exact probabilities; the largest there is of
 * means, and of weights that are no probabilities.
 */
export function layerTop(layer: MapLayer, aggregate: 'max' | 'mean', isProbability = true): number {
  if (aggregate === 'max' && isProbability) return 1;
  let top = 0;
  for (const value of layer.values) if (Math.abs(value) > top) top = Math.abs(value);
  return top > 0 ? top : 1;
}

/** Value at an element of an exact rectangle, NaN where masked; undefined outside. */
export function valueAt(
  exact: MapExact | undefined,
  query: number,
  key: number,
): number | undefined {
  if (exact === undefined) return undefined;
  const { queryStart, queryEnd, keyStart, keyEnd } = exact.rect;
  if (query < queryStart || query >= queryEnd || key < keyStart || key >= keyEnd) return undefined;
  return exact.layer.values[(query - queryStart) * (keyEnd - keyStart) + key - keyStart];
}
