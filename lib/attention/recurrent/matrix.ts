/** Product of row-major matrices a [rows, inner] and b [inner, columns]. */
export function multiply(
  a: Float64Array,
  b: Float64Array,
  rows: number,
  inner: number,
  columns: number,
): Float64Array<ArrayBuffer> {
  const product = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let l = 0; l < inner; l++) {
      const factor = a[i * inner + l]!;
      if (factor === 0) continue;
      for (let j = 0; j < columns; j++) {
        product[i * columns + j] = product[i * columns + j]! + factor * b[l * columns + j]!;
      }
    }
  }
  return product;
}

/** Terms of the exponential's series, enough for f64 where the norm is at most 1/2. */
const TERMS = 16;

/** exp(a) of a square matrix: the series of a / 2^s with a norm of at most 1/2, squared s times. */
export function exponential(a: Float64Array, size: number): Float64Array<ArrayBuffer> {
  let norm = 0;
  for (let i = 0; i < size; i++) {
    let row = 0;
    for (let j = 0; j < size; j++) row += Math.abs(a[i * size + j]!);
    norm = Math.max(norm, row);
  }
  const squarings = Math.max(0, Math.ceil(Math.log2(Math.max(norm, Number.MIN_VALUE))) + 1);
  const scaled = a.map((each) => each / 2 ** squarings);
  let result = new Float64Array(size * size);
  for (let i = 0; i < size; i++) result[i * size + i] = 1;
  let term = result;
  for (let n = 1; n <= TERMS; n++) {
    term = multiply(term, scaled, size, size, size).map((each) => each / n);
    result = result.map((each, i) => each + term[i]!);
  }
  for (let n = 0; n < squarings; n++) result = multiply(result, result, size, size, size);
  return result;
}
