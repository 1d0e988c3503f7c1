export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** [size, size]; row i is the unit eigenvector of value i. */
  readonly vectors: Float64Array;
}

/** Steps that one eigenvalue may take; a few are usual. */
const MOST_STEPS = 60;

/**
 * Eigenvalues and vectors of a symmetric matrix: Householder's reduction to a tridiagonal one, then
 * implicit QR steps with Wilkinson's shift (Golub and Van Loan, sections 8.3.1 and 8.3.4). Vectors
 * are rows throughout, so that every rotation runs along memory.
 *
 * @param matrix [size, size], only read
 * @throws RangeError for a wrong length or a value that is not finite
 */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  if (matrix.length !== size * size) {
    throw new RangeError(`invalid matrix length: ${matrix.length} (expected ${size} x ${size})`);
  }
  if (!matrix.every(Number.isFinite)) {
    throw new RangeError('invalid matrix: a value is not finite');
  }
  const { diagonal, beside, rows } = tridiagonal(matrix, size);
  diagonalise(diagonal, beside, rows, size);
  const order = Array.from({ length: size }, (_, i) => i).sort(
    (i, j) => diagonal[j]! - diagonal[i]! || i - j,
  );
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => {
    vectors.set(rows.subarray(from * size, (from + 1) * size), to * size);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors };
}

/** rows times the matrix times rows transposed is tridiagonal. */
function tridiagonal(matrix: Float64Array, size: number) {
  const a = matrix.slice();
  const rows = new Float64Array(size * size);
  for (let i = 0; i < size; i++) rows[i * size + i] = 1;
  const v = new Float64Array(size);
  const w = new Float64Array(size);
  for (let k = 0; k + 2 < size; k++) {
    let squares = 0;
    for (let i = k + 1; i < size; i++) {
      v[i] = a[i * size + k]!;
      squares += v[i]! ** 2;
    }
    const first = v[k + 1]!;
    if (squares === first * first) continue;
    const length = Math.sqrt(squares);
    v[k + 1] = first + (first < 0 ? -length : length);
    // |v|^2 = 2 (squares + |first| length), so that 2 / |v|^2 is:
    const beta = 1 / (squares + Math.abs(first) * length);
    reflectBothSides(a, v, w, beta, size, k);
    reflectRows(rows, v, w, beta, size, k);
  }
  return {
    diagonal: Float64Array.from({ length: size }, (_, i) => a[i * size + i]!),
    beside: Float64Array.from({ length: size }, (_, i) =>
      i + 1 < size ? a[(i + 1) * size + i]! : 0,
    ),
    rows,
  };
}

/** a becomes H a H with H = I - beta v v^T, v being 0 up to index k. */
function reflectBothSides(
  a: Float64Array,
  v: Float64Array,
  w: Float64Array,
  beta: number,
  size: number,
  k: number,
): void {
  let overlap = 0;
  for (let i = k; i < size; i++) {
    let sum = 0;
    for (let j = k + 1; j < size; j++) sum += a[i * size + j]! * v[j]!;
    w[i] = beta * sum;
    if (i > k) overlap += w[i]! * v[i]!;
  }
  for (let i = k + 1; i < size; i++) w[i] = w[i]! - (beta / 2) * overlap * v[i]!;
  // Row and column k hold what is left of them beside the diagonal: the first entry.
  for (let i = k + 1; i < size; i++) {
    const x = a[i * size + k]! - v[i]! * w[k]!;
    a[i * size + k] = x;
    a[k * size + i] = x;
  }
  for (let i = k + 1; i < size; i++) {
    const vi = v[i]!;
    const wi = w[i]!;
    for (let j = k + 1; j < size; j++) {
      a[i * size + j] = a[i * size + j]! - vi * w[j]! - wi * v[j]!;
    }
  }
}

/** rows becomes H rows. */
function reflectRows(
  rows: Float64Array,
  v: Float64Array,
  w: Float64Array,
  beta: number,
  size: number,
  k: number,
): void {
  w.fill(0);
  for (let i = k + 1; i < size; i++) {
    const factor = beta * v[i]!;
    for (let j = 0; j < size; j++) w[j] = w[j]! + factor * rows[i * size + j]!;
  }
  for (let i = k + 1; i < size; i++) {
    const factor = v[i]!;
    for (let j = 0; j < size; j++) rows[i * size + j] = rows[i * size + j]! - factor * w[j]!;
  }
}

/** Turns the tridiagonal matrix into its eigenvalues, and `rows` into their vectors. */
function diagonalise(
  diagonal: Float64Array,
  beside: Float64Array,
  rows: Float64Array,
  size: number,
): void {
  const isSmall = (i: number) =>
    Math.abs(beside[i]!) <= Number.EPSILON * (Math.abs(diagonal[i]!) + Math.abs(diagonal[i + 1]!));
  let end = size - 1;
  for (let steps = 0; end > 0; steps++) {
    if (isSmall(end - 1) || steps > MOST_STEPS) {
      beside[end - 1] = 0;
      end--;
      steps = 0;
      continue;
    }
    let start = end - 1;
    while (start > 0 && !isSmall(start - 1)) start--;
    if (start > 0) beside[start - 1] = 0;
    step(diagonal, beside, rows, size, start, end);
  }
}

/** One implicit QR step on the block from `start` to `end`. */
function step(
  diagonal: Float64Array,
  beside: Float64Array,
  rows: Float64Array,
  size: number,
  start: number,
  end: number,
): void {
  const last = beside[end - 1]!;
  const half = (diagonal[end - 1]! - diagonal[end]!) / 2;
  const root = Math.hypot(half, last);
  const shift = diagonal[end]! - (last * last) / (half + (half < 0 ? -root : root));
  let x = diagonal[start]! - shift;
  let bulge = beside[start]!;
  for (let k = start; k < end; k++) {
    const length = Math.hypot(x, bulge);
    const c = length === 0 ? 1 : x / length;
    const s = length === 0 ? 0 : bulge / length;
    if (k > start) beside[k - 1] = length;
    const a = diagonal[k]!;
    const b = beside[k]!;
    const d = diagonal[k + 1]!;
    diagonal[k] = c * c * a + 2 * c * s * b + s * s * d;
    diagonal[k + 1] = s * s * a - 2 * c * s * b + c * c * d;
    beside[k] = c * s * (d - a) + (c * c - s * s) * b;
    x = beside[k]!;
    if (k + 1 < end) {
      bulge = s * beside[k + 1]!;
      beside[k + 1] = c * beside[k + 1]!;
    }
    const upper = k * size;
    const lower = upper + size;
    for (let j = 0; j < size; j++) {
      const p = rows[upper + j]!;
      const q = rows[lower + j]!;
      rows[upper + j] = c * p + s * q;
      rows[lower + j] = c * q - s * p;
    }
  }
}
