import type { Matrix } from '../matrix';
import { leadingSubspace } from './leading-subspace';
import { gramOf, multiply, orthonormalise, transposed } from './products';

/** x is about left times right, the best of its rank in the least-squares sense (Eckart and Young, 1936). */
export interface LowRank {
  readonly rank: number;
  /** Left singular vectors times singular values, [rows, rank]. */
  readonly left: Float64Array;
  /** Right singular vectors, [rank, columns], orthonormal rows. */
  readonly right: Float64Array;
  /** Singular values, descending, [rank]. */
  readonly values: Float64Array;
}

/**
 * Truncated singular value decomposition through the Gram matrix of the rows or of the columns,
 * whichever is smaller. Squaring halves the digits of the smallest singular values, but `right`
 * stays orthonormal, so the projection of every row on it is exact, and of full rank loses nothing.
 *
 * @param rank at most the columns; beyond the rows, directions are 0
 * @throws RangeError for a rank outside 1..columns
 */
export function truncatedSvd(matrix: Matrix, rank: number): LowRank {
  const { rows, columns, data } = matrix;
  if (!(Number.isInteger(rank) && rank >= 1 && rank <= columns)) {
    throw new RangeError(`invalid rank: ${rank} (expected 1..${columns})`);
  }
  const right = new Float64Array(rank * columns);
  const values = new Float64Array(rank);
  if (rows < columns) {
    const used = Math.min(rank, rows);
    const turned = { rows: columns, columns: rows, data: transposed(data, rows, columns) };
    const found = leadingSubspace(gramOf(turned), rows, used);
    values.set(found.values);
    // The rows of U transposed times X are the right singular vectors, as long as their values.
    right.set(multiply(found.vectors, data, used, rows, columns));
    orthonormalise(right, rank, columns);
  } else {
    const found = leadingSubspace(gramOf(matrix), columns, rank);
    values.set(found.values);
    right.set(found.vectors);
  }
  return {
    rank,
    left: projectRows(matrix, right, rank),
    right,
    values: values.map((value) => Math.sqrt(Math.max(0, value))),
  };
}

/** Coefficients of every row in a basis of orthonormal rows [rank, columns]: [rows, rank]. */
export function projectRows(matrix: Matrix, basis: Float64Array, rank: number): Float64Array {
  const { rows, columns, data } = matrix;
  return multiply(data, transposed(basis, rank, columns), rows, columns, rank);
}
