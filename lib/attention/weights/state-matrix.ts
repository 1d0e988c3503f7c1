import { decayAt, hasNormaliser, isDeltaRule, SMALLEST_NORMALISER } from '../recurrent/rule';
import type { RecurrentInputs, StateRule } from '../recurrent/types';
import type { WeightMatrix } from './types';

/**
 * The matrix of one row of batch x heads under a state rule. The output S_t q_t is read backwards:
 * u starts as q_t, token s has the weight beta_s k_s . u, and the step of token s is undone by
 * u <- (I - beta_s k_s k_s^T) diag(decay_s) u. No state is ever kept: a row costs its tokens times
 * the key size.
 *
 * Keys are those of the prefix, where the rule has one, and then the tokens.
 */
export function stateMatrix(inputs: RecurrentInputs, rule: StateRule, row: number): WeightMatrix {
  const { tokens, keySize } = inputs.shape;
  const prefix = rule.type === 'prefix-linear' ? rule.prefixTokens : 0;
  const isNormalised = hasNormaliser(rule);
  const isDelta = isDeltaRule(rule);
  const hasDecay = rule.type !== 'additive' && rule.type !== 'delta' && prefix === 0;
  const isPerChannel = rule.type === 'gated';
  const u = new Float64Array(keySize);
  const dot = (tensor: Float32Array, at: number) => {
    let sum = 0;
    for (let c = 0; c < keySize; c++) sum += tensor[at * keySize + c]! * u[c]!;
    return sum;
  };
  return {
    queries: tokens,
    keys: prefix + tokens,
    isSigned: true,
    fillRow(t, keyStart, keyEnd, out) {
      const { query, key, writeStrength, prefixKey } = inputs;
      const at = row * tokens;
      out.fill(Number.NaN, keyStart, keyEnd);
      for (let c = 0; c < keySize; c++) u[c] = query[(at + t) * keySize + c]!;
      // A normaliser is the sum of the whole row.
      const first = isNormalised ? 0 : Math.max(0, keyStart - prefix);
      let sum = 0;
      for (let s = t; s >= first; s--) {
        const read = dot(key, at + s);
        const strength = isDelta ? writeStrength![at + s]! : 1;
        out[prefix + s] = strength * read;
        sum += out[prefix + s]!;
        if (hasDecay) {
          const ofToken = decayAt(inputs, rule, row, s, 0);
          for (let c = 0; c < keySize; c++) {
            u[c] = u[c]! * (isPerChannel ? decayAt(inputs, rule, row, s, c) : ofToken);
          }
        }
        if (!isDelta) continue;
        const erased = strength * (hasDecay ? dot(key, at + s) : read);
        for (let c = 0; c < keySize; c++) u[c] = u[c]! - erased * key[(at + s) * keySize + c]!;
      }
      for (let p = isNormalised ? 0 : keyStart; p < prefix; p++) {
        out[p] = dot(prefixKey!, row * prefix + p);
        sum += out[p]!;
      }
      if (!isNormalised) return;
      const scale = sum < SMALLEST_NORMALISER ? 0 : 1 / sum;
      for (let k = keyStart; k < Math.min(keyEnd, prefix + t + 1); k++) out[k] = out[k]! * scale;
    },
  };
}
