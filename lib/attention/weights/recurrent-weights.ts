import type { RecurrentParams } from '../../spec/kinds/recurrent';
import { makeCall, type RecurrentCall } from '../recurrent/call';
import type { LegendreInputs } from '../recurrent/legendre';
import { multiply } from '../recurrent/matrix';
import { MEMORY_RULE, type MixtureInputs, memoryWeight } from '../recurrent/mixture';
import { isTestTimeRule } from '../recurrent/rule';
import type { RecurrentInputs } from '../recurrent/types';
import { stateMatrix } from './state-matrix';
import type { KeptRows, RowProducts, WeightMatrices, WeightMatrix } from './types';

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
  const { tokens } = inputs.shape;
  return (batch, head): WeightMatrix => {
    const memories = inputs.memories.map((_, m) => routedMemory(inputs, batch, head, m));
    const ofMemory = new Float64Array(tokens);
    return {
      queries: tokens,
      keys: tokens,
      isSigned: true,
      prepareRows(start, end, products) {
        for (const { matrix, before } of memories) {
          matrix.prepareRows?.(before[start]!, before[end]!, products);
        }
      },
      fillRow(query, keyStart, keyEnd, out) {
        out.fill(Number.NaN, keyStart, keyEnd);
        const last = Math.min(keyEnd, query + 1);
        memories.forEach(({ matrix, routed, before }, m) => {
          const weight = memoryWeight(inputs, batch, query, m);
          if (weight === 0 || last <= keyStart) return;
          const [first, end] = [before[keyStart]!, before[last]!];
          matrix.fillRow(before[query]!, first, end, ofMemory);
          for (let i = first; i < end; i++) {
            const s = routed[i]!;
            const part = weight * ofMemory[i]!;
            out[s] = Number.isNaN(out[s]) ? part : out[s]! + part;
          }
        });
      },
    };
  };
}

/** One memory over the tokens that are routed to it: the others leave it as it is. */
function routedMemory(inputs: MixtureInputs, batch: number, head: number, memory: number) {
  const { heads, tokens, keySize } = inputs.shape;
  const routed: number[] = [];
  /** How many tokens before each are routed here, [tokens + 1]. */
  const before = new Uint32Array(tokens + 1);
  for (let t = 0; t < tokens; t++) {
    if (memoryWeight(inputs, batch, t, memory) !== 0) routed.push(t);
    before[t + 1] = routed.length;
  }
  const { query, key, value, decay, writeStrength } = inputs.memories[memory]!;
  const row = (batch * heads + head) * tokens;
  const take = (tensor: Float32Array, size: number) => {
    const taken = new Float32Array(routed.length * size);
    routed.forEach((t, i) => {
      taken.set(tensor.subarray((row + t) * size, (row + t + 1) * size), i * size);
    });
    return taken;
  };
  const own: RecurrentInputs = {
    shape: { ...inputs.shape, batch: 1, heads: 1, tokens: routed.length },
    query: take(query, keySize),
    key: take(key, keySize),
    value: take(value, inputs.shape.valueSize),
    decay: take(decay!, 1),
    writeStrength: take(writeStrength!, 1),
    prefixKey: undefined,
    prefixValue: undefined,
  };
  return { matrix: stateMatrix(own, MEMORY_RULE, 0), routed, before };
}

function legendreWeights({ shape, step, query }: LegendreInputs): WeightMatrices {
  const { heads, tokens, keySize: order } = shape;
  const response = new Float64Array(tokens * order);
  let impulse: Float64Array = step.b;
  for (let n = 0; n < tokens; n++) {
    response.set(impulse, n * order);
    impulse = multiply(step.a, impulse, order, order, 1);
  }
  /** Responses with the products that keep them. */
  const keptBy = new WeakMap<RowProducts, KeptRows>();
  let prepared = {
    start: 0,
    end: 0,
    at: '',
    reads: new Float32Array(0) as Float32Array,
    stride: 0,
  };
  return (batch, head): WeightMatrix => ({
    queries: tokens,
    keys: tokens,
    isSigned: true,
    prepareRows(start, end, products) {
      const kept = keptBy.get(products) ?? products.keep(response, tokens, order);
      keptBy.set(products, kept);
      const at = ((batch * heads + head) * tokens + start) * order;
      const rows = query.subarray(at, at + (end - start) * order);
      const panels = Math.ceil(end / 8);
      const reads =
        end > start ? products.multiply(rows, end - start, kept, 0, panels) : prepared.reads;
      prepared = { start, end, at: `${batch} ${head}`, reads, stride: panels * 8 };
    },
    fillRow(t, keyStart, keyEnd, out) {
      out.fill(Number.NaN, keyStart, keyEnd);
      if (t >= prepared.start && t < prepared.end && prepared.at === `${batch} ${head}`) {
        const from = (t - prepared.start) * prepared.stride + t;
        for (let s = keyStart; s < Math.min(keyEnd, t + 1); s++) out[s] = prepared.reads[from - s]!;
        return;
      }
      const at = ((batch * heads + head) * tokens + t) * order;
      for (let s = keyStart; s < Math.min(keyEnd, t + 1); s++) {
        let dot = 0;
        for (let i = 0; i < order; i++) dot += query[at + i]! * response[(t - s) * order + i]!;
        out[s] = dot;
      }
    },
  });
}
