/** The leading right singular vectors of a matrix, and its rows' coordinates in them. */
export interface LowRank {
  readonly rank: number;
  /** [rows, rank] */
  readonly coefficients: Float32Array;
  /** [rank, columns], orthonormal rows. */
  readonly basis: Float32Array;
}

const SWEEPS = 30;

/**
 * Truncated SVD through the eigenvectors of the Gram matrix, by cyclic Jacobi rotations: meant for
 * few columns (all KV heads of a layer side by side).
 *
 * @param matrix [rows, columns]
 * @throws RangeError for a rank outside 1..columns
 */
export function lowRankOf(
  matrix: Float32Array,
  rows: number,
  columns: number,
  rank: number,
): LowRank {
  if (!(Number.isInteger(rank) && rank >= 1 && rank <= columns)) {
    throw new RangeError(`invalid rank: ${rank} (expected 1..${columns})`);
  }
  const gram = new Float64Array(columns * columns);
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    for (let i = 0; i < columns; i++) {
      const x = matrix[at + i]!;
      for (let j = i; j < columns; j++) {
        gram[i * columns + j] = gram[i * columns + j]! + x * matrix[at + j]!;
      }
    }
  }
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < i; j++) gram[i * columns + j] = gram[j * columns + i]!;
  }
  const vectors = diagonalise(gram, columns);
  const order = Array.from({ length: columns }, (_, i) => i)
    .sort((a, b) => gram[b * columns + b]! - gram[a * columns + a]!)
    .slice(0, rank);
  const basis = new Float32Array(rank * columns);
  order.forEach((vector, r) => {
    for (let i = 0; i < columns; i++) basis[r * columns + i] = vectors[i * columns + vector]!;
  });
  const coefficients = new Float32Array(rows * rank);
  for (let row = 0; row < rows; row++) {
    for (let r = 0; r < rank; r++) {
      let sum = 0;
      for (let i = 0; i < columns; i++) {
        sum += matrix[row * columns + i]! * basis[r * columns + i]!;
      }
      coefficients[row * rank + r] = sum;
    }
  }
  return { rank, coefficients, basis };
}

/** [rows, columns] */
export function rebuild({ rank, coefficients, basis }: LowRank): Float32Array {
  const columns = basis.length / rank;
  const rows = coefficients.length / rank;
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) {
        sum += coefficients[row * rank + r]! * basis[r * columns + i]!;
      }
      out[row * columns + i] = sum;
    }
  }
  return out;
}

/** Takes a symmetric matrix to its eigenvalues on the diagonal; returns the eigenvectors as columns. */
function diagonalise(a: Float64Array, n: number): Float64Array {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    let on = 0;
    for (let i = 0; i < n; i++) {
      on += a[i * n + i]! ** 2;
      for (let j = i + 1; j < n; j++) off += a[i * n + j]! ** 2;
    }
    if (off <= 1e-24 * on) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotatePair(a, vectors, n, p, q);
  }
  return vectors;
}

/** One Jacobi rotation: makes a[p, q] zero (Golub and Van Loan, algorithm 8.4.1). */
function rotatePair(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const tau = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const x = a[k * n + p]!;
    const y = a[k * n + q]!;
    a[k * n + p] = c * x - s * y;
    a[k * n + q] = s * x + c * y;
  }
  for (let k = 0; k < n; k++) {
    const x = a[p * n + k]!;
    const y = a[q * n + k]!;
    a[p * n + k] = c * x - s * y;
    a[q * n + k] = s * x + c * y;
    const u = vectors[k * n + p]!;
    const v = vectors[k * n + q]!;
    vectors[k * n + p] = c * u - s * v;
    vectors[k * n + q] = s * u + c * v;
  }
}
