import type { FastWeightRule, RecurrentShape } from './types';

/** Weights of one head's f(x) = w1 (silu(w0 x) o (w2 x)), row-major. */
export interface FastWeights {
  /** [hidden, keySize]. */
  readonly w0: Float64Array<ArrayBuffer>;
  /** [valueSize, hidden]. */
  readonly w1: Float64Array<ArrayBuffer>;
  /** [hidden, keySize]. */
  readonly w2: Float64Array<ArrayBuffer>;
}

export interface FastSizes {
  readonly keySize: number;
  readonly hiddenSize: number;
  readonly valueSize: number;
}

export const MATRICES = ['w0', 'w1', 'w2'] as const;

export function fastSizes(
  rule: Pick<FastWeightRule, 'expansion'>,
  { keySize, valueSize }: Pick<RecurrentShape, 'keySize' | 'valueSize'>,
): FastSizes {
  return { keySize, hiddenSize: rule.expansion * keySize, valueSize };
}

/** Elements of one head's three matrices. */
export function fastElements({ keySize, hiddenSize, valueSize }: FastSizes): number {
  return hiddenSize * (2 * keySize + valueSize);
}

/** Columns of a matrix. */
export function columnsOf(name: (typeof MATRICES)[number], sizes: FastSizes): number {
  return name === 'w1' ? sizes.hiddenSize : sizes.keySize;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function rowDot(
  matrix: Float64Array,
  row: number,
  columns: number,
  x: ArrayLike<number>,
  at: number,
): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += matrix[row * columns + c]! * x[at + c]!;
  return sum;
}

/** f of the vector at `at` of a tensor. */
export function applyFast(
  weights: FastWeights,
  { keySize, hiddenSize, valueSize }: FastSizes,
  tensor: ArrayLike<number>,
  at: number,
): Float64Array<ArrayBuffer> {
  const hidden = Float64Array.from({ length: hiddenSize }, (_, h) => {
    const gate = rowDot(weights.w0, h, keySize, tensor, at);
    return gate * sigmoid(gate) * rowDot(weights.w2, h, keySize, tensor, at);
  });
  return Float64Array.from({ length: valueSize }, (_, r) =>
    rowDot(weights.w1, r, hiddenSize, hidden, 0),
  );
}

export function zeroWeights({ keySize, hiddenSize, valueSize }: FastSizes): FastWeights {
  return {
    w0: new Float64Array(hiddenSize * keySize),
    w1: new Float64Array(valueSize * hiddenSize),
    w2: new Float64Array(hiddenSize * keySize),
  };
}

/**
 * Adds one pair's gradient of <f(k), v>, the ascent direction of the objective -<f(k), v>, times a
 * learning rate per matrix.
 *
 * @param rates learning rates of w0, w1 and w2
 */
export function addAscent(
  sum: FastWeights,
  weights: FastWeights,
  { keySize, hiddenSize, valueSize }: FastSizes,
  pair: { readonly key: ArrayLike<number>; readonly value: ArrayLike<number> },
  rates: ArrayLike<number>,
): void {
  const [rate0, rate1, rate2] = [rates[0]!, rates[1]!, rates[2]!];
  for (let h = 0; h < hiddenSize; h++) {
    const gate = rowDot(weights.w0, h, keySize, pair.key, 0);
    const linear = rowDot(weights.w2, h, keySize, pair.key, 0);
    const opened = sigmoid(gate);
    const silu = gate * opened;
    // d<f, v> / d hidden_h.
    let wanted = 0;
    for (let r = 0; r < valueSize; r++) {
      const at = r * hiddenSize + h;
      wanted += weights.w1[at]! * pair.value[r]!;
      sum.w1[at] = sum.w1[at]! + rate1 * pair.value[r]! * silu * linear;
    }
    const toGate = rate0 * wanted * linear * opened * (1 + gate * (1 - opened));
    const toLinear = rate2 * wanted * silu;
    for (let c = 0; c < keySize; c++) {
      const at = h * keySize + c;
      sum.w0[at] = sum.w0[at]! + toGate * pair.key[c]!;
      sum.w2[at] = sum.w2[at]! + toLinear * pair.key[c]!;
    }
  }
}

/** L2 norm of every row. */
export function rowNorms(matrix: Float64Array, columns: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: matrix.length / columns }, (_, row) =>
    Math.hypot(...matrix.subarray(row * columns, (row + 1) * columns)),
  );
}

/** weights + step with every row scaled back to its norm in `norms`; a row of zeros stays. */
export function stepRows(
  matrix: Float64Array,
  step: Float64Array,
  columns: number,
  norms: Float64Array,
): Float64Array<ArrayBuffer> {
  const moved = matrix.map((each, i) => each + step[i]!);
  const lengths = rowNorms(moved, columns);
  return moved.map((each, i) => {
    const row = Math.floor(i / columns);
    return lengths[row]! > 0 ? (each * norms[row]!) / lengths[row]! : each;
  });
}
