import { cellStart, checkMapRect, MAP_CELLS, STEP_ELEMENTS } from '../map';
import type { MapBase, MapRect, MapWindow } from '../types';
import type { RowProducts, WeightMatrix } from './types';

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

/** Rows that are prepared at once. */
const PREPARED_ROWS = 32;

/**
 * The matrix reduced to at most 512 x 512 cells, as `mapBaseSteps` reduces an attention map; the
 * maximum of a cell is the weight of largest magnitude, with its sign. Yields the share done.
 *
 * @param products with which rows may be computed in f32, several at once; in f64 without
 */
export function* weightBaseSteps(
  matrix: WeightMatrix,
  products?: RowProducts,
): Generator<number, MapBase> {
  const { queries, keys } = matrix;
  let prepared = 0;
  const rows = Math.min(MAP_CELLS, queries);
  const columns = Math.min(MAP_CELLS, keys);
  const max = new Float32Array(rows * columns).fill(Number.NaN);
  const mean = new Float32Array(rows * columns).fill(Number.NaN);
  const row = new Float64Array(keys);
  const sums = new Float64Array(columns);
  const counts = new Uint32Array(columns);
  const largest = new Float64Array(columns);
  const starts = Uint32Array.from({ length: columns + 1 }, (_, c) => cellStart(c, keys, columns));
  let sinceYield = 0;
  for (let r = 0; r < rows; r++) {
    sums.fill(0);
    counts.fill(0);
    largest.fill(0);
    for (let q = cellStart(r, queries, rows); q < cellStart(r + 1, queries, rows); q++) {
      if (products !== undefined && matrix.prepareRows !== undefined && q >= prepared) {
        prepared = Math.min(queries, q + PREPARED_ROWS);
        matrix.prepareRows(q, prepared, products);
        // Several rows at once are long enough for a message to wait.
        yield q / queries;
      }
      matrix.fillRow(q, 0, keys, row);
      reduceRow(row, starts, sums, counts, largest);
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
  if (products !== undefined) matrix.prepareRows?.(0, 0, products);
  return { rows, columns, queries, keys, max, mean };
}

/** Adds a row to the statistics of its cells. */
function reduceRow(
  row: Float64Array,
  starts: Uint32Array,
  sums: Float64Array,
  counts: Uint32Array,
  largest: Float64Array,
): void {
  for (let c = 0; c < sums.length; c++) {
    const end = starts[c + 1]!;
    let sum = 0;
    let count = 0;
    let most = largest[c]!;
    for (let k = starts[c]!; k < end; k++) {
      const weight = row[k]!;
      if (Number.isNaN(weight)) continue;
      sum += weight;
      count++;
      if (Math.abs(weight) > Math.abs(most)) most = weight;
    }
    sums[c] = sums[c]! + sum;
    counts[c] = counts[c]! + count;
    largest[c] = most;
  }
}
