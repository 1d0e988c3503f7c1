import type { MixtureRule, RecurrentInputs, RecurrentShape, StateRule } from './types';

/** The rule of every memory. */
export const MEMORY_RULE = { type: 'gated-delta' } as const satisfies StateRule;

/** States that a mixture keeps per head: its memories, and the shared one last. */
export function mixtureMemories(rule: Pick<MixtureRule, 'memories' | 'hasShared'>): number {
  return rule.memories + (rule.hasShared ? 1 : 0);
}

/** Which memories every token reads and writes; all heads share it. */
export interface Routing {
  /** The router's softmax, [batch, tokens, memories]. */
  readonly probabilities: Float32Array;
  /** Weights of the outputs, 0 where not routed; they sum to 1 over a token's memories. */
  readonly weights: Float32Array;
}

export interface MixtureInputs {
  readonly shape: RecurrentShape;
  readonly rule: MixtureRule;
  /** Inputs of every memory and then of the shared one; they differ in keys and values only. */
  readonly memories: readonly RecurrentInputs[];
  readonly routing: Routing;
}

/**
 * Softmax over the memories, the `topK` largest kept and divided by their sum. Of equal logits the
 * first counts as larger.
 *
 * @param logits [rows, memories]
 * @throws RangeError where topK is not 1..memories
 */
export function routeTokens(logits: Float32Array, memories: number, topK: number): Routing {
  if (!Number.isInteger(topK) || topK < 1 || topK > memories) {
    throw new RangeError(`invalid topK: ${topK} (expected 1..${memories})`);
  }
  const probabilities = new Float32Array(logits.length);
  const weights = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += memories) {
    const row = Array.from(logits.subarray(start, start + memories));
    const most = Math.max(...row);
    const exponentials = row.map((each) => Math.exp(each - most));
    const sum = exponentials.reduce((a, b) => a + b, 0);
    const chosen = row
      .map((_, m) => m)
      .sort((a, b) => exponentials[b]! - exponentials[a]! || a - b)
      .slice(0, topK);
    const chosenSum = chosen.reduce((total, m) => total + exponentials[m]!, 0);
    for (let m = 0; m < memories; m++) probabilities[start + m] = exponentials[m]! / sum;
    for (const m of chosen) weights[start + m] = exponentials[m]! / chosenSum;
  }
  return { probabilities, weights };
}

/** Weight of a memory's output at a token; the shared memory's is 1. */
export function memoryWeight(
  { rule, routing, shape }: MixtureInputs,
  batch: number,
  token: number,
  memory: number,
): number {
  if (memory === rule.memories) return 1;
  return routing.weights[(batch * shape.tokens + token) * rule.memories + memory]!;
}

/**
 * All memories as one gated-delta call, [batch x memories, heads, tokens, ...] with the memories of
 * a batch together: where a token is not routed, decay 1 and write strength 0 leave the state as it is.
 */
export function foldMemories(inputs: MixtureInputs): RecurrentInputs {
  const { shape, memories } = inputs;
  const count = memories.length;
  /** Every memory's tensor side by side; `masked` stands for tokens that are not routed. */
  const fold = (of: (each: RecurrentInputs) => Float32Array, masked?: number) => {
    const size = of(memories[0]!).length / shape.batch;
    const folded = new Float32Array(shape.batch * count * size);
    for (let b = 0; b < shape.batch; b++) {
      for (const [m, each] of memories.entries()) {
        const at = (b * count + m) * size;
        folded.set(of(each).subarray(b * size, (b + 1) * size), at);
        if (masked === undefined) continue;
        for (let i = 0; i < size; i++) {
          if (memoryWeight(inputs, b, i % shape.tokens, m) === 0) folded[at + i] = masked;
        }
      }
    }
    return folded;
  };
  return {
    shape: { ...shape, batch: shape.batch * count },
    query: fold((each) => each.query),
    key: fold((each) => each.key),
    value: fold((each) => each.value),
    decay: fold((each) => each.decay!, 1),
    writeStrength: fold((each) => each.writeStrength!, 0),
    prefixKey: undefined,
    prefixValue: undefined,
  };
}

/** Outputs of the folded call added by the router's weights: [batch, heads, tokens, valueSize]. */
export function mixOutputs(
  inputs: MixtureInputs,
  folded: ArrayLike<number>,
): Float64Array<ArrayBuffer> {
  const { batch, heads, tokens, valueSize } = inputs.shape;
  const count = inputs.memories.length;
  const mixed = new Float64Array(batch * heads * tokens * valueSize);
  for (let b = 0; b < batch; b++) {
    for (let m = 0; m < count; m++) {
      for (let h = 0; h < heads; h++) {
        for (let t = 0; t < tokens; t++) {
          const weight = memoryWeight(inputs, b, t, m);
          if (weight === 0) continue;
          const to = ((b * heads + h) * tokens + t) * valueSize;
          const from = (((b * count + m) * heads + h) * tokens + t) * valueSize;
          for (let c = 0; c < valueSize; c++) {
            mixed[to + c] = mixed[to + c]! + weight * folded[from + c]!;
          }
        }
      }
    }
  }
  return mixed;
}
