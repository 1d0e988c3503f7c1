import { createRandom } from '../../../lib/random/random';
import { referenceTransformer } from '../../../lib/transformer/reference';
import type { Transformer, TransformerConfig } from '../../../lib/transformer/types';

export const SMALL: TransformerConfig = {
  architecture: 'llama',
  layers: 3,
  hiddenSize: 32,
  intermediateSize: 48,
  heads: 4,
  kvHeads: 2,
  headSize: 8,
  vocabularySize: 40,
  normEpsilon: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: { type: 'none' },
  tiedHead: true,
  qkvBias: false,
  qkNorm: false,
  maxPositions: 1024,
  eosTokens: [],
};

/** A model of random weights, with keys and queries large enough that attention is far from even. */
export function randomModel(seed: number, config: TransformerConfig = SMALL): Transformer {
  const random = createRandom(seed);
  const { hiddenSize, intermediateSize, heads, kvHeads, headSize } = config;
  const matrix = (outputs: number, inputs: number, gain = 1) =>
    Float32Array.from(
      { length: outputs * inputs },
      () => (gain * random.normal()) / Math.sqrt(inputs),
    );
  const ones = (length: number) => new Float32Array(length).fill(1);
  return referenceTransformer(config, {
    embedding: matrix(config.vocabularySize, hiddenSize, Math.sqrt(hiddenSize)),
    layers: Array.from({ length: config.layers }, () => ({
      attentionNorm: ones(hiddenSize),
      q: matrix(heads * headSize, hiddenSize, 2),
      k: matrix(kvHeads * headSize, hiddenSize, 2),
      v: matrix(kvHeads * headSize, hiddenSize),
      o: matrix(hiddenSize, heads * headSize),
      mlpNorm: ones(hiddenSize),
      gate: matrix(intermediateSize, hiddenSize),
      up: matrix(intermediateSize, hiddenSize),
      down: matrix(hiddenSize, intermediateSize),
    })),
    finalNorm: ones(hiddenSize),
  });
}

export function randomTokens(seed: number, count: number, config = SMALL): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.integer(0, config.vocabularySize - 1));
}
