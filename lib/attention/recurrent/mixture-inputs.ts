import { createRandom } from '../../random/random';
import { type MixtureInputs, mixtureMemories, routeTokens } from './mixture';
import { openInputs, type ReadBack } from './recall';
import type { MixtureRule, RecurrentInputs } from './types';

/** Channels of the synthetic hidden vector that the router sees. */
const HIDDEN_SIZE = 32;

/** Spread of the synthetic router's logits, about that of normal values. */
const LOGIT_DEVIATION = 1;

/**
 * A seeded mixture: hidden vectors and a router matrix of normal values, a bias per memory where
 * the rule asks for one, and keys and values of every memory's own.
 *
 * @param memoryInputs inputs of the gated-delta rule by seed; memory 0 takes `seed` itself, so that
 * a single memory is the plain rule
 */
export function makeMixtureInputs(
  rule: MixtureRule,
  seed: number,
  memoryInputs: (seed: number) => RecurrentInputs,
): MixtureInputs {
  const random = createRandom(seed).fork('mixture');
  const first = memoryInputs(seed);
  const { shape } = first;
  const memories = Array.from({ length: mixtureMemories(rule) }, (_, m) => {
    if (m === 0) return first;
    const { key, value } = memoryInputs(random.fork(`memory ${m}`).integer(0, 2 ** 31 - 1));
    return { ...first, key, value };
  });
  const router = makeRouter(rule, HIDDEN_SIZE, seed);
  const stream = random.fork('hidden');
  const hidden = Float32Array.from({ length: shape.batch * shape.tokens * HIDDEN_SIZE }, () =>
    stream.normal(),
  );
  return { shape, rule, memories, routing: routeTokens(router(hidden), rule.memories, rule.topK) };
}

/** A seeded linear router: vectors [rows, size] to logits [rows, memories]. */
function makeRouter(
  { memories, routerBias }: MixtureRule,
  size: number,
  seed: number,
): (vectors: Float32Array) => Float32Array {
  const random = createRandom(seed).fork('router');
  const scale = LOGIT_DEVIATION / Math.sqrt(size);
  const matrix = Float64Array.from({ length: memories * size }, () => scale * random.normal());
  const biases = random.fork('bias');
  const bias = Float64Array.from({ length: memories }, () => routerBias * biases.normal());
  return (vectors) =>
    Float32Array.from({ length: (vectors.length / size) * memories }, (_, i) => {
      const row = Math.floor(i / memories);
      const m = i % memories;
      let sum = bias[m]!;
      for (let c = 0; c < size; c++) sum += matrix[m * size + c]! * vectors[row * size + c]!;
      return sum;
    });
}

/**
 * Recall of a mixture with open gates: the router sees the key, so that a query equal to a key
 * reads the memories that the pair was written to. All memories take the key as it is; the shared
 * one is left out, as its output is added on top of an answer that is already whole.
 */
export function mixtureReadBack(
  rule: MixtureRule,
  keySize: number,
  seed: number,
  run: (inputs: MixtureInputs) => { readonly output: Float64Array },
): ReadBack {
  const router = makeRouter(rule, keySize, seed);
  const alone: MixtureRule = { ...rule, hasShared: false };
  return (keys, values, queries) => {
    const memory = openInputs({ type: 'gated-delta' }, keySize, keySize, keys, values, queries);
    // Unit keys have channels of 1 / sqrt(keySize): scaled up, logits vary as those of hidden vectors.
    const seen = Float32Array.from([...keys, ...queries], (each) => each * Math.sqrt(keySize));
    const inputs: MixtureInputs = {
      shape: memory.shape,
      rule: alone,
      memories: Array.from({ length: rule.memories }, () => memory),
      routing: routeTokens(router(seen), rule.memories, rule.topK),
    };
    return run(inputs).output.subarray(values.length);
  };
}
