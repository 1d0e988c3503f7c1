/** y = x W + b, fitted. */
export interface LinearMap {
  readonly inputs: number;
  readonly outputs: number;
  /** [inputs, outputs] */
  readonly weight: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

/**
 * Least squares with a ridge penalty on all but the bias, in closed form: solves
 * (X'X + lambda n I) W = X'Y over centred columns by Cholesky factorisation.
 *
 * @param x [rows, inputs]
 * @param y [rows, outputs]
 * @param ridge lambda, in units of the mean squared input
 */
export function fitRidge(x: Float32Array, y: Float32Array, rows: number, ridge: number): LinearMap {
  const inputs = x.length / rows;
  const outputs = y.length / rows;
  if (!(rows > 0 && Number.isInteger(inputs) && Number.isInteger(outputs))) {
    throw new RangeError(`invalid rows: ${rows} (${x.length} inputs and ${y.length} outputs)`);
  }
  const meanX = columnMeans(x, rows);
  const meanY = columnMeans(y, rows);
  const gram = new Float64Array(inputs * inputs);
  const cross = new Float64Array(inputs * outputs);
  const row = new Float64Array(inputs);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < inputs; i++) row[i] = x[r * inputs + i]! - meanX[i]!;
    for (let i = 0; i < inputs; i++) {
      const value = row[i]!;
      for (let j = 0; j <= i; j++) gram[i * inputs + j] = gram[i * inputs + j]! + value * row[j]!;
      for (let o = 0; o < outputs; o++) {
        const at = i * outputs + o;
        cross[at] = cross[at]! + value * (y[r * outputs + o]! - meanY[o]!);
      }
    }
  }
  let trace = 0;
  for (let i = 0; i < inputs; i++) trace += gram[i * inputs + i]!;
  // A column that never varies would leave the matrix singular without a floor.
  const penalty = Math.max((ridge * trace) / inputs, 1e-9 * (trace / inputs) + 1e-12);
  for (let i = 0; i < inputs; i++) gram[i * inputs + i] = gram[i * inputs + i]! + penalty;
  solveInPlace(gram, cross, inputs, outputs);
  const weight = Float32Array.from(cross);
  const bias = Float32Array.from(meanY);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) bias[o] = bias[o]! - meanX[i]! * weight[i * outputs + o]!;
  }
  return { inputs, outputs, weight, bias };
}

/** [rows, outputs] */
export function applyMap(
  { inputs, outputs, weight, bias }: LinearMap,
  x: Float32Array,
): Float32Array {
  const rows = x.length / inputs;
  const out = new Float32Array(rows * outputs);
  for (let r = 0; r < rows; r++) {
    const at = r * outputs;
    out.set(bias, at);
    for (let i = 0; i < inputs; i++) {
      const value = x[r * inputs + i]!;
      for (let o = 0; o < outputs; o++)
        out[at + o] = out[at + o]! + value * weight[i * outputs + o]!;
    }
  }
  return out;
}

/** Share of the variance of y that a prediction explains, over all columns; 1 is exact. */
export function explainedVariance(y: Float32Array, predicted: Float32Array, rows: number): number {
  const columns = y.length / rows;
  const mean = columnMeans(y, rows);
  let rest = 0;
  let all = 0;
  for (let i = 0; i < y.length; i++) {
    rest += (y[i]! - predicted[i]!) ** 2;
    all += (y[i]! - mean[i % columns]!) ** 2;
  }
  return all === 0 ? 1 : 1 - rest / all;
}

function columnMeans(x: Float32Array, rows: number): Float64Array {
  const columns = x.length / rows;
  const means = new Float64Array(columns);
  for (let i = 0; i < x.length; i++) means[i % columns] = means[i % columns]! + x[i]! / rows;
  return means;
}

/** Solves A Z = B for a positive definite A given by its lower half; B becomes Z. */
function solveInPlace(a: Float64Array, b: Float64Array, n: number, columns: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j]!;
    }
  }
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < n; i++) {
      let sum = b[i * columns + c]!;
      for (let k = 0; k < i; k++) sum -= a[i * n + k]! * b[k * columns + c]!;
      b[i * columns + c] = sum / a[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i * columns + c]!;
      for (let k = i + 1; k < n; k++) sum -= a[k * n + i]! * b[k * columns + c]!;
      b[i * columns + c] = sum / a[i * n + i]!;
    }
  }
}
