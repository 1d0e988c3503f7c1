import { createRandom } from '../../lib/random/random';
import type {
  LayerWeights,
  TransformerConfig,
  TransformerWeights,
} from '../../lib/transformer/types';

/** Our recall model's shape, or another. */
export function configOf(overrides: Partial<TransformerConfig> = {}): TransformerConfig {
  return {
    architecture: 'llama',
    layers: 4,
    hiddenSize: 128,
    intermediateSize: 256,
    heads: 8,
    kvHeads: 4,
    headSize: 16,
    vocabularySize: 242,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: { type: 'none' },
    tiedHead: true,
    qkvBias: false,
    qkNorm: false,
    maxPositions: 1024,
    eosTokens: [2],
    ...overrides,
  };
}

/** Weights of the size that keeps activations near 1, so that attention is neither flat nor one-hot. */
export function randomWeights(config: TransformerConfig, seed: number): TransformerWeights {
  const random = createRandom(seed);
  const { hiddenSize, intermediateSize, headSize, vocabularySize } = config;
  const queryWidth = config.heads * headSize;
  const kvWidth = config.kvHeads * headSize;
  const normal = (length: number, scale: number, mean = 0) =>
    Float32Array.from({ length }, () => mean + scale * random.normal());
  const matrix = (outputs: number, inputs: number, gain = 1) =>
    normal(outputs * inputs, gain / Math.sqrt(inputs));
  const normOf = (width: number) => normal(width, 0.2, 1);
  const layer = (): LayerWeights => ({
    attentionNorm: normOf(hiddenSize),
    q: matrix(queryWidth, hiddenSize, 1.5),
    k: matrix(kvWidth, hiddenSize, 1.5),
    v: matrix(kvWidth, hiddenSize),
    o: matrix(hiddenSize, queryWidth, 0.7),
    ...(config.qkvBias
      ? { qBias: normal(queryWidth, 0.5), kBias: normal(kvWidth, 0.5), vBias: normal(kvWidth, 0.5) }
      : {}),
    ...(config.qkNorm ? { qNorm: normOf(headSize), kNorm: normOf(headSize) } : {}),
    mlpNorm: normOf(hiddenSize),
    gate: matrix(intermediateSize, hiddenSize),
    up: matrix(intermediateSize, hiddenSize),
    down: matrix(hiddenSize, intermediateSize, 0.7),
  });
  return {
    embedding: matrix(vocabularySize, hiddenSize, 3),
    layers: Array.from({ length: config.layers }, layer),
    finalNorm: normOf(hiddenSize),
    ...(config.tiedHead ? {} : { head: matrix(vocabularySize, hiddenSize) }),
  };
}

/** Token ids in the vocabulary. */
export function randomTokens(config: TransformerConfig, count: number, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.integer(0, config.vocabularySize - 1));
}
