import { cellStart, checkMapRect, MAP_CELLS, STEP_ELEMENTS } from '../map';
import type { MapBase, MapRect, MapWindow } from '../types';
import type { KeyExtent, RowProducts, WeightMatrix } from './types';

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
/** Elements from which a first picture is made of some of the rows. */
const PREVIEW_ELEMENTS = 2 ** 23;
/** Rows that stand for one row of a first picture less than that are not worth one. */
const PREVIEW_SHARE = 4;

/** Every how many rows a first picture of the matrix is made from; undefined where all of it comes soon. */
export function previewStride({ queries, keys }: WeightMatrix): number | undefined {
  const stride = Math.floor(queries / MAP_CELLS);
  return queries * keys >= PREVIEW_ELEMENTS && stride >= PREVIEW_SHARE ? stride : undefined;
}

/**
 * The reduction from the middle row of every row of cells alone: maxima may be larger, and means are
 * estimates. Yields the share done.
 */
export function weightPreviewSteps(
  matrix: WeightMatrix,
  products?: RowProducts,
): Generator<number, MapBase> {
  const { queries } = matrix;
  const rows = Math.min(MAP_CELLS, queries);
  return reduceSteps(matrix, products, (r) => {
    const middle = (cellStart(r, queries, rows) + cellStart(r + 1, queries, rows)) >>> 1;
    return [middle, middle + 1];
  });
}

/**
 * The matrix reduced to at most 512 x 512 cells, each its weight of largest magnitude, with its sign,
 * and the mean over its unmasked elements; NaN where there are none. Cell (r, c) covers queries
 * [floor(r Q / rows), floor((r + 1) Q / rows)), and keys likewise. Yields the share done, so a worker
 * can stop it.
 *
 * @param products with which rows may be computed in f32, several at once; in f64 without
 */
export function weightBaseSteps(
  matrix: WeightMatrix,
  products?: RowProducts,
): Generator<number, MapBase> {
  const { queries } = matrix;
  const rows = Math.min(MAP_CELLS, queries);
  return reduceSteps(matrix, products, (r) => [
    cellStart(r, queries, rows),
    cellStart(r + 1, queries, rows),
  ]);
}

function* reduceSteps(
  matrix: WeightMatrix,
  products: RowProducts | undefined,
  queriesOf: (cellRow: number) => readonly [start: number, end: number],
): Generator<number, MapBase> {
  const { queries, keys } = matrix;
  const rows = Math.min(MAP_CELLS, queries);
  const columns = Math.min(MAP_CELLS, keys);
  const max = new Float32Array(rows * columns).fill(Number.NaN);
  const mean = new Float32Array(rows * columns).fill(Number.NaN);
  const row = new Float64Array(keys);
  const cells = makeCells(keys, columns);
  let prepared = 0;
  let sinceYield = 0;
  try {
    for (let r = 0; r < rows; r++) {
      cells.clear();
      const [start, end] = queriesOf(r);
      for (let q = start; q < end; q++) {
        if (products !== undefined && matrix.prepareRows !== undefined && q >= prepared) {
          prepared = preparedEnd(q, r, rows, queriesOf);
          matrix.prepareRows(q, prepared, products);
          // Several rows at once are long enough for a message to wait.
          yield q / queries;
        }
        matrix.fillRow(q, 0, keys, row);
        cells.add(row, matrix.extent ?? { first: 0, end: keys });
        sinceYield += keys;
        if (sinceYield >= STEP_ELEMENTS) {
          sinceYield = 0;
          yield (q + 1) / queries;
        }
      }
      cells.write(max, mean, r * columns);
    }
  } finally {
    // Stopped or not: windows that are read next are exact.
    if (products !== undefined) matrix.prepareRows?.(0, 0, products);
  }
  return { rows, columns, queries, keys, max, mean };
}

/** Rows from `q` on that follow one another in the rows of cells from `r` on, at most 32. */
function preparedEnd(
  q: number,
  r: number,
  rows: number,
  queriesOf: (cellRow: number) => readonly [start: number, end: number],
): number {
  let end = queriesOf(r)[1];
  for (let next = r + 1; next < rows && end - q < PREPARED_ROWS; next++) {
    const [start, past] = queriesOf(next);
    if (start !== end) break;
    end = past;
  }
  return Math.min(end, q + PREPARED_ROWS);
}

/** Statistics of one row of cells. */
function makeCells(keys: number, columns: number) {
  const starts = Uint32Array.from({ length: columns + 1 }, (_, c) => cellStart(c, keys, columns));
  const sums = new Float64Array(columns);
  const counts = new Uint32Array(columns);
  const largest = new Float64Array(columns);
  return {
    clear() {
      sums.fill(0);
      counts.fill(0);
      largest.fill(0);
    },
    /** Adds a row of the matrix, of which only the extent is looked at. */
    add(row: Float64Array, { first, end }: KeyExtent) {
      let c = Math.floor((first * columns) / keys);
      while (c > 0 && starts[c]! > first) c--;
      while (c < columns - 1 && starts[c + 1]! <= first) c++;
      for (; c < columns && starts[c]! < end; c++) {
        const past = Math.min(starts[c + 1]!, end);
        let sum = 0;
        let count = 0;
        let most = 0;
        for (let k = Math.max(starts[c]!, first); k < past; k++) {
          const weight = row[k]!;
          if (Number.isNaN(weight)) continue;
          sum += weight;
          count++;
          if (Math.abs(weight) > Math.abs(most)) most = weight;
        }
        sums[c] = sums[c]! + sum;
        counts[c] = counts[c]! + count;
        if (Math.abs(most) > Math.abs(largest[c]!)) largest[c] = most;
      }
    },
    write(max: Float32Array, mean: Float32Array, at: number) {
      for (let c = 0; c < columns; c++) {
        if (counts[c] === 0) continue;
        max[at + c] = largest[c]!;
        mean[at + c] = sums[c]! / counts[c]!;
      }
    },
  };
}
