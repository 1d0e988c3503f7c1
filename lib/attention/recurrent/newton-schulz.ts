import { multiply } from './matrix';

/** Coefficients of Muon's quintic iteration (Jordan et al. 2024). */
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;

function transpose(matrix: Float64Array, rows: number, columns: number): Float64Array<ArrayBuffer> {
  return Float64Array.from(
    { length: matrix.length },
    (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!,
  );
}

/**
 * Muon's orthogonalisation: X = G / |G|, then `steps` times X <- a X + (b X X^T + c (X X^T)^2) X,
 * which draws all singular values that are not tiny towards 1, to about 0.7 .. 1.2.
 */
export function newtonSchulz(
  matrix: Float64Array,
  rows: number,
  columns: number,
  steps: number,
): Float64Array<ArrayBuffer> {
  const norm = Math.hypot(...matrix);
  if (!(norm > 0)) return new Float64Array(matrix.length);
  // The smaller side is the one whose Gram matrix is formed.
  const isTall = rows > columns;
  const [short, long] = isTall ? [columns, rows] : [rows, columns];
  let x = (isTall ? transpose(matrix, rows, columns) : matrix).map((each) => each / norm);
  for (let step = 0; step < steps; step++) {
    const gram = multiply(x, transpose(x, short, long), short, long, short);
    const square = multiply(gram, gram, short, short, short);
    const factor = gram.map((each, i) => B * each + C * square[i]!);
    const moved = multiply(factor, x, short, short, long);
    x = x.map((each, i) => A * each + moved[i]!);
  }
  return isTall ? transpose(x, short, long) : Float64Array.from(x);
}
