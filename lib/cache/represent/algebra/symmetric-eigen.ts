export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** [size, size]; row i is the unit eigenvector of value i. */
  readonly vectors: Float64Array;
}

const MOST_SWEEPS = 60;

/**
 * Eigenvalues and vectors of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan,
 * section 8.5): orthogonal to the last bits whatever the spectrum, and small enough to read.
 *
 * @param matrix [size, size], only read
 * @throws RangeError for a wrong length or a value that is not finite
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  if (matrix.length !== size * size) {
    throw new RangeError(`invalid matrix length: ${matrix.length} (expected ${size} x ${size})`);
  }
  const a = matrix.slice();
  const rotations = new Float64Array(size * size);
  for (let i = 0; i < size; i++) rotations[i * size + i] = 1;
  const total = squares(a);
  if (!Number.isFinite(total)) {
    throw new RangeError('invalid matrix: a value is not finite or too large');
  }
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) off += a[p * size + q]! ** 2;
    }
    if (off <= 1e-30 * total) break;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) rotate(a, rotations, size, p, q);
    }
  }
  const order = Array.from({ length: size }, (_, i) => i).sort(
    (i, j) => a[j * size + j]! - a[i * size + i]!,
  );
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => {
    vectors.set(rotations.subarray(from * size, (from + 1) * size), to * size);
  });
  return { values: Float64Array.from(order, (i) => a[i * size + i]!), vectors };
}

/** Makes a[p, q] zero by a rotation of the plane (p, q). */
function rotate(a: Float64Array, rotations: Float64Array, size: number, p: number, q: number) {
  const apq = a[p * size + q]!;
  if (apq === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  mix(a, p * size, q * size, 1, size, cosine, sine);
  mix(a, p, q, size, size, cosine, sine);
  mix(rotations, p * size, q * size, 1, size, cosine, sine);
  a[p * size + q] = 0;
  a[q * size + p] = 0;
}

/** (x, y) becomes (c x - s y, s x + c y) for two runs of `count` values. */
function mix(
  values: Float64Array,
  first: number,
  second: number,
  stride: number,
  count: number,
  cosine: number,
  sine: number,
): void {
  for (let k = 0; k < count; k++) {
    const i = first + k * stride;
    const j = second + k * stride;
    const x = values[i]!;
    const y = values[j]!;
    values[i] = cosine * x - sine * y;
    values[j] = sine * x + cosine * y;
  }
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return sum;
}
