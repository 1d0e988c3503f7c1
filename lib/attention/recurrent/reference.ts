import { runSteps, STEP_PRODUCTS } from '../steps';
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

/**
 * The plain definition in f64, token by token: every rule of `StateRule` as its paper writes it.
 *
 * @param initialState state to go on from, [batch, heads, stateRows, keySize]; zeros by default
 * @returns output [batch, heads, tokens, valueSize] and the last state
 * @throws RangeError where a tensor does not fit the shape
 */
export function recurrentReference(
  inputs: RecurrentInputs,
  rule: StateRule,
  initialState?: ArrayLike<number>,
): { readonly output: Float64Array; readonly state: Float64Array } {
  return runSteps(recurrentReferenceSteps(inputs, rule, initialState));
}

/** `recurrentReference` in slices: yields the share done every few milliseconds. */
export function* recurrentReferenceSteps(
  inputs: RecurrentInputs,
  rule: StateRule,
  initialState?: ArrayLike<number>,
): Generator<number, { readonly output: Float64Array; readonly state: Float64Array }> {
  checkRecurrentInputs(inputs, rule, initialState);
  const { batch, heads, tokens, keySize, valueSize } = inputs.shape;
  const rows = stateRows(rule, inputs.shape);
  const output = new Float64Array(batch * heads * tokens * valueSize);
  const last = new Float64Array(batch * heads * rows * keySize);
  const tokensPerStep = Math.max(1, Math.floor(STEP_PRODUCTS / (4 * rows * keySize)));
  for (let row = 0; row < batch * heads; row++) {
    const state = startState(inputs, rule, row, initialState);
    for (let t = 0; t < tokens; t++) {
      const at = row * tokens + t;
      if (at % tokensPerStep === tokensPerStep - 1) yield at / (batch * heads * tokens);
      writeToken(inputs, rule, row, t, state);
      const normaliser = hasNormaliser(rule)
        ? read(state, valueSize, inputs.query, at, keySize)
        : 1;
      const scale = normaliser < SMALLEST_NORMALISER ? 0 : 1 / normaliser;
      for (let r = 0; r < valueSize; r++) {
        output[at * valueSize + r] = read(state, r, inputs.query, at, keySize) * scale;
      }
    }
    last.set(state, row * rows * keySize);
  }
  return { output, state: last };
}

/** Dot product of a state row and the vector at `at` of a tensor. */
function read(
  state: Float64Array,
  stateRow: number,
  tensor: Float32Array,
  at: number,
  keySize: number,
): number {
  let dot = 0;
  for (let c = 0; c < keySize; c++)
    dot += state[stateRow * keySize + c]! * tensor[at * keySize + c]!;
  return dot;
}

function writeToken(
  inputs: RecurrentInputs,
  rule: StateRule,
  row: number,
  token: number,
  state: Float64Array,
): void {
  const { tokens, keySize, valueSize } = inputs.shape;
  const at = row * tokens + token;
  const strength = isDeltaRule(rule) ? inputs.writeStrength![at]! : 1;
  for (let r = 0; r < state.length / keySize; r++) {
    // A product S (I - beta k k^T) takes what the key holds now out of the row.
    const held = isDeltaRule(rule) ? read(state, r, inputs.key, at, keySize) : 0;
    const v = r < valueSize ? inputs.value[at * valueSize + r]! : 1;
    for (let c = 0; c < keySize; c++) {
      const k = inputs.key[at * keySize + c]!;
      const kept = state[r * keySize + c]! - strength * held * k;
      state[r * keySize + c] = decayAt(inputs, rule, row, token, c) * kept + strength * v * k;
    }
  }
}
