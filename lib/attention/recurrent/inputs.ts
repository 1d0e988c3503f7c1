import { createRandom, type Random } from '../../random/random';
import { mapFeatures } from './feature-map';
import { hasNormaliser, isDeltaRule, tensorElements } from './rule';
import type { RecurrentInputs, RecurrentShape, StateRule } from './types';

/** Half-lives of the synthetic decays, in tokens, log-uniform between these. */
const HALF_LIFE_TOKENS = { least: 4, most: 256 } as const;

function normals(random: Random, count: number, scale: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, () => scale * random.normal());
}

/** Every vector of a tensor [..., size] divided by its L2 norm. */
export function normaliseRows(tensor: Float32Array, size: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(tensor.length);
  for (let start = 0; start < tensor.length; start += size) {
    const row = tensor.subarray(start, start + size);
    const norm = Math.hypot(...row);
    result.set(
      row.map((x) => (norm > 0 ? x / norm : 0)),
      start,
    );
  }
  return result;
}

/** 2^(-1 / halfLife): the decay after which half of a write is left. */
function decays(random: Random, count: number): Float32Array<ArrayBuffer> {
  const { least, most } = HALF_LIFE_TOKENS;
  return Float32Array.from(
    { length: count },
    () => 2 ** (-1 / (least * (most / least) ** random.uniform())),
  );
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
  const random = createRandom(seed);
  const elements = tensorElements(rule, shape);
  const { keySize } = shape;
  const vectors = (name: string, count: number) => {
    const raw = normals(random.fork(name), count, 1);
    if (isDeltaRule(rule)) return normaliseRows(raw, keySize);
    if (hasNormaliser(rule)) return features === 'raw' ? raw : mapFeatures(raw, keySize, 'elu+1');
    return raw.map((x) => x / Math.sqrt(keySize));
  };
  const optional = <T>(count: number, make: () => T) => (count > 0 ? make() : undefined);
  return {
    shape,
    query: vectors('query', elements.query),
    key: vectors('key', elements.key),
    value: normals(random.fork('value'), elements.value, 1),
    decay: optional(elements.decay, () => decays(random.fork('decay'), elements.decay)),
    writeStrength: optional(elements.writeStrength, () => {
      const strengths = random.fork('write strength');
      return Float32Array.from({ length: elements.writeStrength }, () => strengths.uniform());
    }),
    prefixKey: optional(elements.prefixKey, () => vectors('prefix key', elements.prefixKey)),
    prefixValue: optional(elements.prefixValue, () =>
      normals(random.fork('prefix value'), elements.prefixValue, 1),
    ),
  };
}
