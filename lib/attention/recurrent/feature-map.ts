import type { RecurrentInputs, RecurrentRule } from './types';

/**
 * phi of q and k before the state.
 *
 * - elu + 1: positive, which a normaliser needs; so are relu, taylor and softmax (Katharopoulos et al. 2020)
 * - taylor: (1, x / d^(1/4), x x^T / sqrt(2 d)), so that phi(q) . phi(k) = 1 + s + s^2 / 2 with
 *   s = q . k / sqrt(d), the exponential's second order (Arora et al. 2024, Based)
 * - softmax: over the channels of one vector
 */
export type FeatureMap = 'identity' | 'elu+1' | 'relu' | 'taylor' | 'softmax';

/** The map that a cell's choice stands for: a normaliser takes elu + 1 where nothing else is chosen. */
export function chosenFeatureMap(rule: RecurrentRule, chosen: FeatureMap): FeatureMap {
  const isNormalised = 'normalise' in rule && rule.normalise;
  return isNormalised && chosen === 'identity' ? 'elu+1' : chosen;
}

/** Channels after the map: taylor grows d to 1 + d + d^2. */
export function featureSize(map: FeatureMap, headSize: number): number {
  return map === 'taylor' ? 1 + headSize + headSize ** 2 : headSize;
}

/** phi of every vector of a tensor [..., headSize]; the result is [..., featureSize]. */
export function mapFeatures(
  tensor: Float32Array,
  headSize: number,
  map: FeatureMap,
): Float32Array<ArrayBuffer> {
  const size = featureSize(map, headSize);
  const mapped = new Float32Array((tensor.length / headSize) * size);
  for (let at = 0; at < tensor.length / headSize; at++) {
    const x = tensor.subarray(at * headSize, (at + 1) * headSize);
    const out = mapped.subarray(at * size, (at + 1) * size);
    if (map === 'taylor') writeTaylor(x, out);
    else if (map === 'softmax') writeSoftmax(x, out);
    else out.set(x.map(CHANNEL_MAPS[map]));
  }
  return mapped;
}

const CHANNEL_MAPS = {
  identity: (x: number) => x,
  'elu+1': (x: number) => (x > 0 ? x + 1 : Math.exp(x)),
  relu: (x: number) => Math.max(0, x),
} as const;

function writeTaylor(x: Float32Array, out: Float32Array): void {
  const size = x.length;
  const linear = size ** -0.25;
  const square = 1 / Math.sqrt(2 * size);
  out[0] = 1;
  for (let i = 0; i < size; i++) {
    out[1 + i] = x[i]! * linear;
    for (let j = 0; j < size; j++) out[1 + size + i * size + j] = x[i]! * x[j]! * square;
  }
}

function writeSoftmax(x: Float32Array, out: Float32Array): void {
  const most = x.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = Array.from(x, (each) => Math.exp(each - most));
  const sum = weights.reduce((a, b) => a + b, 0);
  out.set(weights.map((weight) => weight / sum));
}

/** Inputs with phi applied to queries, keys and prefix keys; a decay per channel must fit the new size. */
export function mapInputs(inputs: RecurrentInputs, map: FeatureMap): RecurrentInputs {
  const { keySize } = inputs.shape;
  const { prefixKey } = inputs;
  return {
    ...inputs,
    shape: { ...inputs.shape, keySize: featureSize(map, keySize) },
    query: mapFeatures(inputs.query, keySize, map),
    key: mapFeatures(inputs.key, keySize, map),
    prefixKey: prefixKey === undefined ? undefined : mapFeatures(prefixKey, keySize, map),
  };
}
