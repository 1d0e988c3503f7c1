import type { RecurrentParams } from '../../spec/kinds/recurrent';
import { makeCall, type RecurrentCall } from '../recurrent/call';
import type { LegendreInputs } from '../recurrent/legendre';
import { multiply } from '../recurrent/matrix';
import { foldMemories, MEMORY_RULE, type MixtureInputs, memoryWeight } from '../recurrent/mixture';
import { isTestTimeRule } from '../recurrent/rule';
import { stateMatrix } from './state-matrix';
import type { WeightMatrices, WeightMatrix } from './types';

/** Why a rule's outputs are no sums of values, or undefined where they are. */
export function whyNoWeights(rule: RecurrentParams['rule']): string | undefined {
  if (!isTestTimeRule(rule)) return undefined;
  const network = rule.type === 'lact' ? 'the weights of an MLP' : 'weights learnt by gradient';
  return `rule ${rule.type} reads ${network}, which are not linear in the values: its outputs are no weighted sums of them`;
}

/** Tokens of keys before the first one: those of the prefix that the rule reads without causality. */
export function prefixKeys(rule: RecurrentParams['rule']): number {
  return rule.type === 'prefix-linear' ? rule.prefixTokens : 0;
}

/**
 * The matrix that a recurrence amounts to: how much of each token's value an output holds after the
 * convolution and the feature map. Computed row by row with the transposed steps, never stored.
 *
 * - state rules: w[t][s] = beta_s k_s . (the steps t .. s + 1 transposed) q_t, over z . q_t where the
 *   rule has a normaliser; the keys of a prefix come first
 * - mixture: the sum over the memories that both tokens are routed to, whose values differ
 * - Legendre memory: q_t . a^(t - s) b
 *
 * @throws Error for test-time training, which is not linear in its values
 */
export function recurrentWeights(params: RecurrentParams): WeightMatrices {
  return callWeights(makeCall(params));
}

/** The same of given inputs. */
export function callWeights(call: RecurrentCall): WeightMatrices {
  const { heads } = call.inputs.shape;
  switch (call.type) {
    case 'state': {
      const { inputs, rule } = call;
      return (batch, head) => stateMatrix(inputs, rule, batch * heads + head);
    }
    case 'mom':
      return mixtureWeights(call.inputs);
    case 'lmu':
      return legendreWeights(call.inputs);
    case 'lact':
    case 'temporal-lora':
      throw new Error(whyNoWeights(call.inputs.rule));
  }
}

function mixtureWeights(inputs: MixtureInputs): WeightMatrices {
  const { heads, tokens } = inputs.shape;
  const count = inputs.memories.length;
  const folded = foldMemories(inputs);
  return (batch, head): WeightMatrix => {
    const rows = Array.from({ length: count }, (_, m) =>
      stateMatrix(folded, MEMORY_RULE, (batch * count + m) * heads + head),
    );
    const ofMemory = new Float64Array(tokens);
    return {
      queries: tokens,
      keys: tokens,
      isSigned: true,
      fillRow(query, keyStart, keyEnd, out) {
        out.fill(Number.NaN, keyStart, keyEnd);
        rows.forEach((matrix, m) => {
          const weight = memoryWeight(inputs, batch, query, m);
          if (weight === 0) return;
          matrix.fillRow(query, keyStart, keyEnd, ofMemory);
          for (let s = keyStart; s < Math.min(keyEnd, query + 1); s++) {
            if (memoryWeight(inputs, batch, s, m) === 0) continue;
            const part = weight * ofMemory[s]!;
            out[s] = Number.isNaN(out[s]) ? part : out[s]! + part;
          }
        });
      },
    };
  };
}

function legendreWeights({ shape, step, query }: LegendreInputs): WeightMatrices {
  const { heads, tokens, keySize: order } = shape;
  const response = new Float64Array(tokens * order);
  let impulse: Float64Array = step.b;
  for (let n = 0; n < tokens; n++) {
    response.set(impulse, n * order);
    impulse = multiply(step.a, impulse, order, order, 1);
  }
  return (batch, head): WeightMatrix => ({
    queries: tokens,
    keys: tokens,
    isSigned: true,
    fillRow(t, keyStart, keyEnd, out) {
      out.fill(Number.NaN, keyStart, keyEnd);
      const at = ((batch * heads + head) * tokens + t) * order;
      for (let s = keyStart; s < Math.min(keyEnd, t + 1); s++) {
        let dot = 0;
        for (let i = 0; i < order; i++) dot += query[at + i]! * response[(t - s) * order + i]!;
        out[s] = dot;
      }
    },
  });
}
