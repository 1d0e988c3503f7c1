/** Largest number of coefficients of one law: all subsets of them are tried. */
const MAX_COEFFICIENTS = 10;

/** Solves a symmetric positive definite system in place; undefined where it is singular. */
function solve(matrix: number[][], right: number[]): number[] | undefined {
  const size = right.length;
  const scale = Math.max(...matrix.map((row, i) => row[i] as number));
  for (let i = 0; i < size; i++) {
    const pivotRow = matrix[i] as number[];
    const pivot = pivotRow[i] as number;
    if (!(pivot > scale * 1e-12)) return undefined;
    for (let r = i + 1; r < size; r++) {
      const row = matrix[r] as number[];
      const factor = (row[i] as number) / pivot;
      for (let c = i; c < size; c++) row[c] = (row[c] as number) - factor * (pivotRow[c] as number);
      right[r] = (right[r] as number) - factor * (right[i] as number);
    }
  }
  const found = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const row = matrix[i] as number[];
    let value = right[i] as number;
    for (let c = i + 1; c < size; c++) value -= (row[c] as number) * (found[c] as number);
    found[i] = value / (row[i] as number);
  }
  return found;
}

/**
 * The coefficients c >= 0 that minimise sum (x c / y - 1)^2: relative errors, so that short times
 * count as much as long ones. Exact: the best of all subsets of coefficients whose unconstrained
 * optimum is non-negative, which holds the constrained optimum (its positive coefficients are the
 * unconstrained optimum of their own subset).
 *
 * @param columns one column of values per coefficient
 * @param y measured, above 0
 * @returns one coefficient per column; all 0 where there is no row
 */
export function fitNonNegative(
  columns: readonly ArrayLike<number>[],
  y: ArrayLike<number>,
): readonly number[] {
  const size = columns.length;
  if (size > MAX_COEFFICIENTS)
    throw new Error(`invalid columns: ${size} (expected up to ${MAX_COEFFICIENTS})`);
  const rows = y.length;
  // Columns of unit length: token counts and pairs differ by six decades.
  const scaled = columns.map((column) => {
    const values = Float64Array.from({ length: rows }, (_, i) => {
      return (column[i] as number) / (y[i] as number);
    });
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return { values: length > 0 ? values.map((value) => value / length) : values, length };
  });
  const dot = (a: Float64Array, b: Float64Array): number => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += (a[i] as number) * (b[i] as number);
    return sum;
  };
  const gram = scaled.map((a) => scaled.map((b) => dot(a.values, b.values)));
  const ones = new Float64Array(rows).fill(1);
  const target = scaled.map(({ values }) => dot(values, ones));
  let best = new Array<number>(size).fill(0);
  let gain = 0;
  for (let subset = 1; subset < 1 << size; subset++) {
    const chosen = [...columns.keys()].filter((i) => (subset >> i) & 1);
    const found = solve(
      chosen.map((i) => chosen.map((j) => (gram[i] as number[])[j] as number)),
      chosen.map((i) => target[i] as number),
    );
    if (found === undefined || found.some((value) => !(value >= 0))) continue;
    // At an optimum the sum of squares falls by the coefficients times their targets.
    const fallen = found.reduce(
      (sum, value, at) => sum + value * (target[chosen[at] as number] as number),
      0,
    );
    if (fallen <= gain) continue;
    gain = fallen;
    best = new Array<number>(size).fill(0);
    chosen.forEach((column, at) => {
      best[column] = (found[at] as number) / (scaled[column] as { length: number }).length;
    });
  }
  return best;
}
