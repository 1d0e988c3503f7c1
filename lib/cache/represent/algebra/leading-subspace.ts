import { createRandom } from '../../../random/random';
import { multiply, orthonormalise, transposed } from './products';
import { type Eigen, symmetricEigen } from './symmetric-eigen';

/** Up to this size all eigenvectors are computed, which is exact. */
const EXACT_SIZE = 80;
/** Directions carried along beside the wanted ones: they speed up convergence (Halko et al. 2011). */
const SPARE_DIRECTIONS = 10;

/** The leading part of a spectrum: `count` values, descending, and their vectors [count, size]. */
export interface Leading extends Eigen {
  readonly count: number;
  /** Found by iteration, thus a little below the best subspace. */
  readonly isApproximate: boolean;
}

/**
 * Leading eigenvectors of a positive semidefinite matrix: exact by Jacobi where it is small or most
 * of it is wanted, otherwise by subspace iteration with a Rayleigh-Ritz step (Halko, Martinsson and
 * Tropp, 2011), from a fixed seed.
 *
 * @param gram [size, size]
 * @param count wanted, at most `size`
 * @param loops iterations; 12 unless given
 * @throws RangeError for a count outside 1..size
 */
export function leadingSubspace(
  gram: Float64Array,
  size: number,
  count: number,
  loops = 12,
): Leading {
  if (!(Number.isInteger(count) && count >= 1 && count <= size)) {
    throw new RangeError(`invalid rank: ${count} (expected 1..${size})`);
  }
  const width = count + SPARE_DIRECTIONS;
  if (size <= EXACT_SIZE || width * 2 > size) {
    const { values, vectors } = symmetricEigen(gram, size);
    return {
      count,
      isApproximate: false,
      values: values.slice(0, count),
      vectors: vectors.slice(0, count * size),
    };
  }
  const basis = iterated(gram, size, width, loops);
  const small = multiply(
    multiply(basis, gram, width, size, size),
    transposed(basis, width, size),
    width,
    size,
    width,
  );
  const { values, vectors } = symmetricEigen(small, width);
  return {
    count,
    isApproximate: true,
    values: values.slice(0, count),
    vectors: multiply(vectors.subarray(0, count * width), basis, count, width, size),
  };
}

/** Orthonormal rows [count, size] after `loops` multiplications by the matrix. */
export function iterated(
  gram: Float64Array,
  size: number,
  count: number,
  loops: number,
): Float64Array {
  const random = createRandom(0x5eed);
  let basis = Float64Array.from({ length: count * size }, () => random.normal());
  orthonormalise(basis, count, size);
  for (let loop = 0; loop < loops; loop++) {
    // The matrix is symmetric: multiplying from the right multiplies every row.
    basis = new Float64Array(multiply(basis, gram, count, size, size));
    orthonormalise(basis, count, size);
  }
  return basis;
}
