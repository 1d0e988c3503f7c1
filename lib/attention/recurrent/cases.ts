import type { RecurrentInputs, RecurrentShape, StateRule } from './types';

/** Every rule once, with and without its normaliser. */
export const STATE_RULES: readonly (readonly [name: string, rule: StateRule])[] = [
  ['additive', { type: 'additive', normalise: false }],
  ['additive, normalised', { type: 'additive', normalise: true }],
  ['retnet', { type: 'retnet' }],
  ['gated', { type: 'gated', normalise: false }],
  ['gated, normalised', { type: 'gated', normalise: true }],
  ['ssd', { type: 'ssd' }],
  ['delta', { type: 'delta' }],
  ['gated-delta', { type: 'gated-delta' }],
  ['prefix-linear', { type: 'prefix-linear', normalise: false, prefixTokens: 21 }],
  ['prefix-linear, normalised', { type: 'prefix-linear', normalise: true, prefixTokens: 21 }],
];

/** One shape of the table that the references and every kernel run, under every rule. */
export interface RecurrentCase {
  readonly name: string;
  readonly shape: RecurrentShape;
}

function recurrentCase(name: string, shape: Partial<RecurrentShape>): RecurrentCase {
  return {
    name,
    shape: { batch: 1, heads: 2, tokens: 63, keySize: 32, valueSize: 32, ...shape },
  };
}

/** Odd lengths, key sizes with and without padding, values wider and narrower than keys. */
export const RECURRENT_CASES: readonly RecurrentCase[] = [
  recurrentCase('one token', { tokens: 1 }),
  recurrentCase('key size 4, value size 12', { tokens: 130, keySize: 4, valueSize: 12 }),
  recurrentCase('key size 32, value size 64', { tokens: 63, valueSize: 64 }),
  recurrentCase('key size 64, value size 32', { tokens: 130, keySize: 64 }),
  recurrentCase('key size 128, value size 20', { tokens: 63, keySize: 128, valueSize: 20 }),
  recurrentCase('key size 21, value size 7', { tokens: 65, keySize: 21, valueSize: 7 }),
  recurrentCase('batch 2, heads 3', { batch: 2, heads: 3, tokens: 33, keySize: 20, valueSize: 8 }),
];

/** The same inputs with decays and write strengths of exactly 0 and 1 among the others. */
export function withGatesAtEnds(inputs: RecurrentInputs): RecurrentInputs {
  // Turns of 7 and 5: no chunk or vector size meets them at the same place again.
  const atEnds = (gates: Float32Array | undefined) =>
    gates?.map((each, i) => (i % 7 === 3 ? 0 : i % 5 === 1 ? 1 : each));
  return { ...inputs, decay: atEnds(inputs.decay), writeStrength: atEnds(inputs.writeStrength) };
}
