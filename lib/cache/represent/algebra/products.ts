import type { Matrix } from '../matrix';

/** a[m, k] times b[k, n]. */
export function multiply(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  m: number,
  k: number,
  n: number,
): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const factor = a[i * k + p]!;
      if (factor === 0) continue;
      const from = p * n;
      const to = i * n;
      for (let j = 0; j < n; j++) out[to + j] = out[to + j]! + factor * b[from + j]!;
    }
  }
  return out;
}

/** [columns, rows] of a[rows, columns]. */
export function transposed(a: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j]!;
  }
  return out;
}

/** The Gram matrix of the columns, x transposed times x, [columns, columns]. */
export function gramOf({ rows, columns, data }: Matrix): Float64Array {
  const gram = new Float64Array(columns * columns);
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    for (let i = 0; i < columns; i++) {
      const factor = data[at + i]!;
      const to = i * columns;
      for (let j = i; j < columns; j++) gram[to + j] = gram[to + j]! + factor * data[at + j]!;
    }
  }
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < i; j++) gram[i * columns + j] = gram[j * columns + i]!;
  }
  return gram;
}

/**
 * Makes rows orthonormal one after the other, twice for accuracy (Gram-Schmidt with
 * reorthogonalisation). A row that depends on those before it becomes 0.
 *
 * @param rows [count, width], changed in place
 */
export function orthonormalise(rows: Float64Array, count: number, width: number): void {
  for (let i = 0; i < count; i++) {
    const own = rows.subarray(i * width, (i + 1) * width);
    const before = norm(own);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = rows.subarray(j * width, (j + 1) * width);
        let dot = 0;
        for (let k = 0; k < width; k++) dot += own[k]! * other[k]!;
        for (let k = 0; k < width; k++) own[k] = own[k]! - dot * other[k]!;
      }
    }
    const length = norm(own);
    const isDependent = length <= 1e-12 * before;
    for (let k = 0; k < width; k++) own[k] = isDependent ? 0 : own[k]! / length;
  }
}

function norm(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}
