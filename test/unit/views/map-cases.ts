import { cellMasses } from '../../../lib/attention/cell-masses';
import { cellStart } from '../../../lib/attention/map';
import type { MapBase, MapWindow } from '../../../lib/attention/types';
import { createRandom } from '../../../lib/random/random';
import { baseProfiles, touchedCells } from '../../../lib/views/map/profiles';

export type Mask = (query: number, key: number) => boolean;
export const causal: Mask = (query, key) => key <= query;
export const band: Mask = (query, key) => key <= query && query - key < 40;
export const dense: Mask = () => true;
export const holes: Mask = (query, key) => (query + key) % 2 === 0;

/** Probabilities whose visible part sums to 1 in each row, NaN where masked. */
export function probabilities(queries: number, keys: number, isVisible: Mask, seed = 1): MapWindow {
  const random = createRandom(seed);
  const values = new Float32Array(queries * keys).fill(Number.NaN);
  for (let q = 0; q < queries; q++) {
    let sum = 0;
    const row = Array.from({ length: keys }, (_, k) => {
      const weight = isVisible(q, k) ? Math.exp(3 * random.uniform()) : 0;
      sum += weight;
      return weight;
    });
    row.forEach((weight, k) => {
      if (isVisible(q, k)) values[q * keys + k] = weight / sum;
    });
  }
  return { queryStart: 0, queryEnd: queries, keyStart: 0, keyEnd: keys, probabilities: values };
}

/** The definition of a base: maximum and mean over the unmasked elements of each cell. */
export function reduce(window: MapWindow, rows: number, columns: number): MapBase {
  const queries = window.queryEnd;
  const keys = window.keyEnd;
  const max = new Float32Array(rows * columns).fill(Number.NaN);
  const mean = new Float32Array(rows * columns).fill(Number.NaN);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const seen: number[] = [];
      for (let q = cellStart(r, queries, rows); q < cellStart(r + 1, queries, rows); q++) {
        for (let k = cellStart(c, keys, columns); k < cellStart(c + 1, keys, columns); k++) {
          const p = window.probabilities[q * keys + k] as number;
          if (!Number.isNaN(p)) seen.push(p);
        }
      }
      if (seen.length === 0) continue;
      max[r * columns + c] = Math.max(...seen);
      mean[r * columns + c] = seen.reduce((a, b) => a + b, 0) / seen.length;
    }
  }
  return { rows, columns, queries, keys, max, mean };
}

export const profilesOf = (
  base: MapBase,
  view = { queryStart: 0, queryEnd: base.queries, keyStart: 0, keyEnd: base.keys },
) => baseProfiles(base, cellMasses(base), touchedCells(base, view));
export const total = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
