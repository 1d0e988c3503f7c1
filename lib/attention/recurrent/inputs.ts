import { createRandom, type Random } from '../../random/random';
import { runSteps } from '../steps';
import { mapFeatures } from './feature-map';
import { hasNormaliser, isDeltaRule, tensorElements } from './rule';
import type { RecurrentInputs, RecurrentShape, StateRule } from './types';

/** Half-lives of the synthetic decays, in tokens, log-uniform between these. */
const HALF_LIFE_TOKENS = { least: 4, most: 256 } as const;

/** Numbers made between two yields: a few milliseconds. */
const STEP_VALUES = 2 ** 15;

/** Yields the share done every few milliseconds. */
type Filling = Generator<number, Float32Array<ArrayBuffer>>;

function* filled(count: number, make: (index: number) => number): Filling {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = make(i);
    if (i % STEP_VALUES === STEP_VALUES - 1) yield i / count;
  }
  return values;
}

const normals = (random: Random, count: number): Filling => filled(count, () => random.normal());

/** Every vector of a tensor [..., size] divided by its L2 norm; yields the share done. */
export function* normaliseRowSteps(tensor: Float32Array, size: number): Filling {
  const result = new Float32Array(tensor.length);
  const stepRows = Math.ceil(STEP_VALUES / size);
  for (let start = 0; start < tensor.length; start += size) {
    if ((start / size) % stepRows === stepRows - 1) yield start / tensor.length;
    const end = start + size;
    let squares = 0;
    for (let i = start; i < end; i++) squares += tensor[i]! ** 2;
    const norm = Math.sqrt(squares);
    if (norm > 0) for (let i = start; i < end; i++) result[i] = tensor[i]! / norm;
  }
  return result;
}

/** `normaliseRowSteps` run to the end. */
export function normaliseRows(tensor: Float32Array, size: number): Float32Array<ArrayBuffer> {
  return runSteps(normaliseRowSteps(tensor, size));
}

/** 2^(-1 / halfLife): the decay after which half of a write is left. */
function decays(random: Random, count: number): Filling {
  const { least, most } = HALF_LIFE_TOKENS;
  return filled(count, () => 2 ** (-1 / (least * (most / least) ** random.uniform())));
}

/**
 * Seeded tensors and gates that a rule reads, at a scale that keeps outputs near 1: normal values;
 * keys and queries of unit length for the delta rules, mapped by elu + 1 where the rule has a
 * normaliser; decays with half-lives of 4 to 256 tokens; write strengths uniform in (0, 1).
 * A stream per tensor: more tokens or another rule do not change what the others hold.
 *
 * @param seed integer; only its low 32 bits count
 * @param features 'raw' leaves keys and queries of a rule with a normaliser as they are drawn, for a
 * convolution or a feature map that comes first
 */
export function makeRecurrentInputs(
  shape: RecurrentShape,
  rule: StateRule,
  seed: number,
  features: 'mapped' | 'raw' = 'mapped',
): RecurrentInputs {
  return runSteps(recurrentInputSteps(shape, rule, seed, features));
}

/** `makeRecurrentInputs` in slices: yields the share of a tensor every few milliseconds. */
export function* recurrentInputSteps(
  shape: RecurrentShape,
  rule: StateRule,
  seed: number,
  features: 'mapped' | 'raw',
): Generator<number, RecurrentInputs> {
  const random = createRandom(seed);
  const elements = tensorElements(rule, shape);
  const { keySize } = shape;
  function* vectors(name: string, count: number): Filling {
    const raw = yield* normals(random.fork(name), count);
    if (isDeltaRule(rule)) return yield* normaliseRowSteps(raw, keySize);
    if (hasNormaliser(rule)) return features === 'raw' ? raw : mapFeatures(raw, keySize, 'elu+1');
    return yield* filled(count, (i) => raw[i]! / Math.sqrt(keySize));
  }
  function* optional(count: number, make: () => Filling) {
    return count > 0 ? yield* make() : undefined;
  }
  return {
    shape,
    query: yield* vectors('query', elements.query),
    key: yield* vectors('key', elements.key),
    value: yield* normals(random.fork('value'), elements.value),
    decay: yield* optional(elements.decay, () => decays(random.fork('decay'), elements.decay)),
    writeStrength: yield* optional(elements.writeStrength, () => {
      const strengths = random.fork('write strength');
      return filled(elements.writeStrength, () => strengths.uniform());
    }),
    prefixKey: yield* optional(elements.prefixKey, () => vectors('prefix key', elements.prefixKey)),
    prefixValue: yield* optional(elements.prefixValue, () =>
      normals(random.fork('prefix value'), elements.prefixValue),
    ),
  };
}
