import {
  checkRecurrentInputs,
  decayAt,
  hasNormaliser,
  isDeltaRule,
  SMALLEST_NORMALISER,
  startState,
  stateRows,
} from './rule';
import type { RecurrentInputs, StateRule } from './types';

/** One chunk of one row of batch x heads: tokens [start, start + count). */
interface Chunk {
  readonly row: number;
  readonly start: number;
  readonly count: number;
}

/**
 * The same rules in chunk form, f64: with the decays L_ij = prod_{j < l <= i} decay_l and
 * b_i = prod_{l <= i} decay_l of a chunk and the state S at its start,
 *
 *     O = b o (Q S^T) + (L o tril(Q K^T)) U,   S' = b_last o S + U^T (L_last o K),
 *
 * where U = V, or for the delta rules the solution of the unit lower-triangular system
 *
 *     (I + diag(beta) (L o stril(K K^T))) U = diag(beta) (V - b o (K S^T)),
 *
 * the WY / UT transform (Yang et al. 2024, DeltaNet; Gated DeltaNet). A decay per channel stays
 * inside the products over channels (GLA). The normaliser is one more value column of ones.
 *
 * @param chunkTokens tokens per chunk; the result does not depend on it
 * @throws RangeError where a tensor does not fit the shape or chunkTokens is not a positive integer
 */
export function chunkedReference(
  inputs: RecurrentInputs,
  rule: StateRule,
  chunkTokens: number,
  initialState?: ArrayLike<number>,
): { readonly output: Float64Array; readonly state: Float64Array } {
  checkRecurrentInputs(inputs, rule, initialState);
  if (!Number.isInteger(chunkTokens) || chunkTokens < 1) {
    throw new RangeError(`invalid chunkTokens: ${chunkTokens} (expected a positive integer)`);
  }
  const { batch, heads, tokens, keySize, valueSize } = inputs.shape;
  const rows = stateRows(rule, inputs.shape);
  const output = new Float64Array(batch * heads * tokens * valueSize);
  const last = new Float64Array(batch * heads * rows * keySize);
  for (let row = 0; row < batch * heads; row++) {
    let state = startState(inputs, rule, row, initialState);
    for (let start = 0; start < tokens; start += chunkTokens) {
      const chunk = { row, start, count: Math.min(chunkTokens, tokens - start) };
      state = chunkStep(inputs, rule, chunk, state, output);
    }
    last.set(state, row * rows * keySize);
  }
  return { output, state: last };
}

/** Writes a chunk's outputs and returns the state at its end. */
function chunkStep(
  inputs: RecurrentInputs,
  rule: StateRule,
  chunk: Chunk,
  state: Float64Array,
  output: Float64Array,
): Float64Array {
  const { tokens, keySize, valueSize } = inputs.shape;
  const { row, start, count } = chunk;
  const first = row * tokens + start;
  const rows = state.length / keySize;
  const channels = rule.type === 'gated' ? keySize : 1;
  const decays = decayMask(inputs, rule, chunk, channels);
  /** L_ij of channel c. */
  const decayed = (i: number, j: number, c: number) =>
    decays[(i * count + j) * channels + (channels === 1 ? 0 : c)]!;
  const fromStart = (i: number, c: number) =>
    decayed(i, 0, c) * decayAt(inputs, rule, row, start, c);
  /** Decay-weighted product of row i of `tensor` and key j. */
  const product = (tensor: Float32Array, i: number, j: number) => {
    let sum = 0;
    for (let c = 0; c < keySize; c++) {
      sum +=
        tensor[(first + i) * keySize + c]! *
        decayed(i, j, c) *
        inputs.key[(first + j) * keySize + c]!;
    }
    return sum;
  };
  /** Row i of `tensor` against state row r, decayed from the chunk's start. */
  const inherited = (tensor: Float32Array, i: number, r: number) => {
    let sum = 0;
    for (let c = 0; c < keySize; c++) {
      sum += tensor[(first + i) * keySize + c]! * fromStart(i, c) * state[r * keySize + c]!;
    }
    return sum;
  };

  const writes = new Float64Array(count * rows);
  for (let i = 0; i < count; i++) {
    for (let r = 0; r < rows; r++) {
      writes[i * rows + r] = r < valueSize ? inputs.value[(first + i) * valueSize + r]! : 1;
    }
  }
  if (isDeltaRule(rule)) {
    const strength = (i: number) => inputs.writeStrength![first + i]!;
    const inverse = inverseUnitLower(count, (i, j) => strength(i) * product(inputs.key, i, j));
    for (let r = 0; r < rows; r++) {
      const right = Float64Array.from(
        { length: count },
        (_, i) => strength(i) * (writes[i * rows + r]! - inherited(inputs.key, i, r)),
      );
      for (let i = 0; i < count; i++) {
        let sum = 0;
        for (let j = 0; j <= i; j++) sum += inverse[i * count + j]! * right[j]!;
        writes[i * rows + r] = sum;
      }
    }
  }

  for (let i = 0; i < count; i++) {
    const out = Float64Array.from({ length: rows }, (_, r) => inherited(inputs.query, i, r));
    for (let j = 0; j <= i; j++) {
      const score = product(inputs.query, i, j);
      for (let r = 0; r < rows; r++) out[r] = out[r]! + score * writes[j * rows + r]!;
    }
    const normaliser = hasNormaliser(rule) ? out[valueSize]! : 1;
    const scale = normaliser < SMALLEST_NORMALISER ? 0 : 1 / normaliser;
    for (let r = 0; r < valueSize; r++) output[(first + i) * valueSize + r] = out[r]! * scale;
  }

  const end = count - 1;
  return state.map((held, index) => {
    const r = Math.floor(index / keySize);
    const c = index % keySize;
    let sum = fromStart(end, c) * held;
    for (let j = 0; j < count; j++) {
      sum += decayed(end, j, c) * writes[j * rows + r]! * inputs.key[(first + j) * keySize + c]!;
    }
    return sum;
  });
}

/** L [count, count, channels]: L_ij = prod_{j < l <= i} decay_l for j <= i, else 0. */
function decayMask(
  inputs: RecurrentInputs,
  rule: StateRule,
  { row, start, count }: Chunk,
  channels: number,
): Float64Array {
  const mask = new Float64Array(count * count * channels);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < channels; c++) {
      let product = 1;
      // Products, not exponents of differences: a decay of 0 has no logarithm.
      for (let j = i; j >= 0; j--) {
        mask[(i * count + j) * channels + c] = product;
        product *= decayAt(inputs, rule, row, start + j, c);
      }
    }
  }
  return mask;
}

/** (I + A)^-1 of a strictly lower-triangular A by forward substitution; row-major [size, size]. */
export function inverseUnitLower(
  size: number,
  entry: (row: number, column: number) => number,
): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    inverse[i * size + i] = 1;
    for (let l = 0; l < i; l++) {
      const a = entry(i, l);
      for (let j = 0; j <= l; j++) {
        inverse[i * size + j] = inverse[i * size + j]! - a * inverse[l * size + j]!;
      }
    }
  }
  return inverse;
}
