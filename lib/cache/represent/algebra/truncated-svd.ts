import type { Matrix } from '../matrix';
import { leadingSubspace } from './leading-subspace';
import { gramOf, multiply, transposed } from './products';

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
 * Truncated singular value decomposition through the Gram matrix of the columns. Squaring halves
 * the digits of the smallest singular values, but `right` stays orthonormal, so the projection of
 * every row on it is exact, and of full rank loses nothing.
 *
 * @throws RangeError for a rank outside 1..columns
 */
export function truncatedSvd(matrix: Matrix, rank: number): LowRank {
  const { columns } = matrix;
  const { values, vectors } = leadingSubspace(gramOf(matrix), columns, rank);
  return {
    rank,
    left: projectRows(matrix, vectors, rank),
    right: vectors,
    values: values.map((value) => Math.sqrt(Math.max(0, value))),
  };
}

/** Coefficients of every row in a basis of orthonormal rows [rank, columns]: [rows, rank]. */
export function projectRows(matrix: Matrix, basis: Float64Array, rank: number): Float64Array {
  const { rows, columns, data } = matrix;
  return multiply(data, transposed(basis, rank, columns), rows, columns, rank);
}
