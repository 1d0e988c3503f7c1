import { cellStart, checkMapRect, MAP_CELLS, STEP_ELEMENTS } from '../map';
import type { MapBase, MapRect, MapWindow } from '../types';
import type { WeightMatrix } from './types';

/**
 * Exact weights of a rectangle, row-major; NaN where a row does not see the key.
 *
 * @throws RangeError when the rectangle is empty, out of the matrix or above 512 x 512
 */
export function weightWindow(matrix: WeightMatrix, rect: MapRect): MapWindow {
  checkMapRect(rect, matrix);
  const { queryStart, queryEnd, keyStart, keyEnd } = rect;
  const columns = keyEnd - keyStart;
  const probabilities = new Float32Array((queryEnd - queryStart) * columns);
  const row = new Float64Array(matrix.keys);
  for (let q = queryStart; q < queryEnd; q++) {
    matrix.fillRow(q, keyStart, keyEnd, row);
    probabilities.set(row.subarray(keyStart, keyEnd), (q - queryStart) * columns);
  }
  return { ...rect, probabilities };
}

/**
 * The matrix reduced to at most 512 x 512 cells, as `mapBaseSteps` reduces an attention map; the
 * maximum of a cell is the weight of largest magnitude, with its sign. Yields the share done.
 */
export function* weightBaseSteps(matrix: WeightMatrix): Generator<number, MapBase> {
  const { queries, keys } = matrix;
  const rows = Math.min(MAP_CELLS, queries);
  const columns = Math.min(MAP_CELLS, keys);
  const max = new Float32Array(rows * columns).fill(Number.NaN);
  const mean = new Float32Array(rows * columns).fill(Number.NaN);
  const row = new Float64Array(keys);
  const sums = new Float64Array(columns);
  const counts = new Uint32Array(columns);
  const largest = new Float64Array(columns);
  let sinceYield = 0;
  for (let r = 0; r < rows; r++) {
    sums.fill(0);
    counts.fill(0);
    largest.fill(0);
    for (let q = cellStart(r, queries, rows); q < cellStart(r + 1, queries, rows); q++) {
      matrix.fillRow(q, 0, keys, row);
      for (let c = 0; c < columns; c++) {
        const end = cellStart(c + 1, keys, columns);
        for (let k = cellStart(c, keys, columns); k < end; k++) {
          const weight = row[k] as number;
          if (Number.isNaN(weight)) continue;
          sums[c] = (sums[c] as number) + weight;
          counts[c] = (counts[c] as number) + 1;
          if (Math.abs(weight) > Math.abs(largest[c] as number)) largest[c] = weight;
        }
      }
      sinceYield += keys;
      if (sinceYield >= STEP_ELEMENTS) {
        sinceYield = 0;
        yield (q + 1) / queries;
      }
    }
    for (let c = 0; c < columns; c++) {
      if (counts[c] === 0) continue;
      max[r * columns + c] = largest[c] as number;
      mean[r * columns + c] = (sums[c] as number) / (counts[c] as number);
    }
  }
  return { rows, columns, queries, keys, max, mean };
}
