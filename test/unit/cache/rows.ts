import { type Matrix, matrixOf } from '../../../lib/cache/represent/matrix';
import { createRandom } from '../../../lib/random/random';

/** Standard normal rows. */
export function normalRows(rows: number, columns: number, seed: number): Matrix {
  const random = createRandom(seed);
  return matrixOf(
    Float32Array.from({ length: rows * columns }, () => random.normal()),
    rows,
    columns,
  );
}

/** Rows in `rank` directions with falling strength, and a little of everything. */
export function lowRankRows(rows: number, columns: number, rank: number, seed: number): Matrix {
  const random = createRandom(seed);
  const left = Array.from({ length: rows * rank }, () => random.normal());
  const right = Array.from({ length: rank * columns }, () => random.normal());
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0.01 * random.normal();
      for (let r = 0; r < rank; r++) {
        sum += (left[i * rank + r]! * right[r * columns + c]!) / (r + 1);
      }
      data[i * columns + c] = sum;
    }
  }
  return { rows, columns, data };
}

export function matrixFrom(rows: readonly (readonly number[])[]): Matrix {
  return matrixOf(Float32Array.from(rows.flat()), rows.length, rows[0]?.length ?? 0);
}

/** Largest absolute difference. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`lengths differ: ${a.length} and ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

export function squaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
