import { createRandom } from '../../../lib/random/random';
import { referenceTransformer } from '../../../lib/transformer/reference';
import type { Transformer, TransformerConfig } from '../../../lib/transformer/types';

export const TINY: TransformerConfig = {
  architecture: 'llama',
  layers: 4,
  hiddenSize: 32,
  intermediateSize: 48,
  heads: 4,
  kvHeads: 2,
  headSize: 16,
  vocabularySize: 50,
  normEpsilon: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: { type: 'none' },
  tiedHead: true,
  qkvBias: false,
  qkNorm: false,
  maxPositions: 256,
  eosTokens: [],
};

/** A model of random weights, strong enough that its attention is not flat. */
export function tinyModel(seed = 1, config: TransformerConfig = TINY): Transformer {
  const random = createRandom(seed);
  const matrix = (outputs: number, inputs: number, gain = 1) =>
    Float32Array.from(
      { length: outputs * inputs },
      () => (gain * random.normal()) / Math.sqrt(inputs),
    );
  const { hiddenSize, headSize, heads, kvHeads, intermediateSize } = config;
  const ones = () => new Float32Array(hiddenSize).fill(1);
  return referenceTransformer(config, {
    embedding: matrix(config.vocabularySize, hiddenSize, 4),
    layers: Array.from({ length: config.layers }, () => ({
      attentionNorm: ones(),
      q: matrix(heads * headSize, hiddenSize, 1.5),
      k: matrix(kvHeads * headSize, hiddenSize, 1.5),
      v: matrix(kvHeads * headSize, hiddenSize),
      o: matrix(hiddenSize, heads * headSize),
      mlpNorm: ones(),
      gate: matrix(intermediateSize, hiddenSize),
      up: matrix(intermediateSize, hiddenSize),
      down: matrix(hiddenSize, intermediateSize),
    })),
    finalNorm: ones(),
  });
}
