import type {
  RecurrentInputs,
  RecurrentRule,
  RecurrentShape,
  StateRule,
  TestTimeRule,
} from './types';

/** Below this z . q counts as an empty state, whose output is 0. */
export const SMALLEST_NORMALISER = 1e-6;

/** Whether a layer keeps one state matrix per head, which the recurrent kernels walk. */
export function isStateRule(rule: RecurrentRule): rule is StateRule {
  return rule.type !== 'mom' && rule.type !== 'lmu' && !isTestTimeRule(rule);
}

/** Whether a rule trains weights as tokens come: no kernel here, and no matrix over tokens. */
export function isTestTimeRule(rule: RecurrentRule): rule is TestTimeRule {
  return rule.type === 'lact' || rule.type === 'temporal-lora';
}

export function hasNormaliser(rule: StateRule): boolean {
  return 'normalise' in rule && rule.normalise;
}

export function isDeltaRule(rule: StateRule): boolean {
  return rule.type === 'delta' || rule.type === 'gated-delta';
}

/** Rows of a head's state: one per value channel, and the normaliser. */
export function stateRows(rule: StateRule, shape: RecurrentShape): number {
  return shape.valueSize + (hasNormaliser(rule) ? 1 : 0);
}

/** RetNet's decay of head `head`, counted from 0: 1 - 2^(-5 - head) (Sun et al. 2023). */
export function retentionDecay(head: number): number {
  return 1 - 2 ** (-5 - head);
}

/** Decay factors per token that a rule reads from `RecurrentInputs.decay`. */
function decayChannels(rule: StateRule, shape: RecurrentShape): number {
  if (rule.type === 'gated') return shape.keySize;
  return rule.type === 'ssd' || rule.type === 'gated-delta' ? 1 : 0;
}

/** Elements of every tensor that a rule reads; 0 where it reads none. */
export function tensorElements(rule: StateRule, shape: RecurrentShape) {
  const { batch, heads, tokens, keySize, valueSize } = shape;
  const rows = batch * heads * tokens;
  const prefixRows = rule.type === 'prefix-linear' ? batch * heads * rule.prefixTokens : 0;
  return {
    query: rows * keySize,
    key: rows * keySize,
    value: rows * valueSize,
    decay: rows * decayChannels(rule, shape),
    writeStrength: isDeltaRule(rule) ? rows : 0,
    prefixKey: prefixRows * keySize,
    prefixValue: prefixRows * valueSize,
  } as const;
}

/**
 * @throws RangeError where a size is not a positive integer, a tensor that the rule reads has
 * another length than the shape asks for, or an initial state does
 */
export function checkRecurrentInputs(
  inputs: RecurrentInputs,
  rule: StateRule,
  initialState?: ArrayLike<number>,
): void {
  for (const [name, size] of Object.entries(inputs.shape)) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(`invalid ${name}: ${size} (expected a positive integer)`);
    }
  }
  if (
    rule.type === 'prefix-linear' &&
    !(Number.isInteger(rule.prefixTokens) && rule.prefixTokens >= 0)
  ) {
    throw new RangeError(`invalid prefixTokens: ${rule.prefixTokens} (expected an integer from 0)`);
  }
  const expected = tensorElements(rule, inputs.shape);
  for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
    const length = inputs[name]?.length ?? 0;
    if (expected[name] > 0 && length !== expected[name]) {
      throw new RangeError(
        `invalid ${name}: ${length} elements (expected ${expected[name]} for rule ${rule.type})`,
      );
    }
  }
  const { batch, heads, keySize } = inputs.shape;
  const stateElements = batch * heads * stateRows(rule, inputs.shape) * keySize;
  if (initialState !== undefined && initialState.length !== stateElements) {
    throw new RangeError(
      `invalid initialState: ${initialState.length} elements (expected ${stateElements})`,
    );
  }
}

/**
 * Decay factor of every key channel at one token.
 *
 * @param row index of batch x heads
 */
export function decayAt(
  inputs: RecurrentInputs,
  rule: StateRule,
  row: number,
  token: number,
  channel: number,
): number {
  const { heads, tokens, keySize } = inputs.shape;
  const at = row * tokens + token;
  if (rule.type === 'retnet') return retentionDecay(row % heads);
  if (rule.type === 'gated') return inputs.decay![at * keySize + channel]!;
  if (rule.type === 'ssd' || rule.type === 'gated-delta') return inputs.decay![at]!;
  return 1;
}

/**
 * State before the first token of one row of batch x heads, [stateRows, keySize]: zeros or
 * `initialState`, plus the prefix's sum of v k^T.
 */
export function startState(
  inputs: RecurrentInputs,
  rule: StateRule,
  row: number,
  initialState: ArrayLike<number> | undefined,
): Float64Array {
  const { keySize, valueSize } = inputs.shape;
  const rows = stateRows(rule, inputs.shape);
  const state = new Float64Array(rows * keySize);
  if (initialState !== undefined) {
    for (let i = 0; i < state.length; i++) state[i] = initialState[row * state.length + i]!;
  }
  if (rule.type !== 'prefix-linear') return state;
  for (let t = row * rule.prefixTokens; t < (row + 1) * rule.prefixTokens; t++) {
    for (let r = 0; r < rows; r++) {
      const v = r < valueSize ? inputs.prefixValue![t * valueSize + r]! : 1;
      for (let c = 0; c < keySize; c++) {
        state[r * keySize + c] = state[r * keySize + c]! + v * inputs.prefixKey![t * keySize + c]!;
      }
    }
  }
  return state;
}
