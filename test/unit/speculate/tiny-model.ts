import { createRandom } from '../../../lib/random/random';
import { referenceTransformer } from '../../../lib/transformer/reference';
import type { Transformer, TransformerConfig } from '../../../lib/transformer/types';

export interface TinyModelOptions {
  readonly layers?: number;
  readonly vocabularySize?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headSize?: number;
  /** Standard deviation of the matrices times the root of their inputs; larger attends more sharply. */
  readonly gain?: number;
}

/** A Llama-shaped model of random weights, the same for the same seed. */
export function tinyModel(seed: number, options: TinyModelOptions = {}): Transformer {
  const { layers = 3, vocabularySize = 12, heads = 4, kvHeads = 2, headSize = 4 } = options;
  const gain = options.gain ?? 1.5;
  const hiddenSize = 16;
  const intermediateSize = 24;
  const random = createRandom(seed);
  const matrix = (outputs: number, inputs: number) =>
    Float32Array.from(
      { length: outputs * inputs },
      () => (random.normal() * gain) / Math.sqrt(inputs),
    );
  const ones = () => Float32Array.from({ length: hiddenSize }, () => 1 + 0.1 * random.normal());
  const config: TransformerConfig = {
    architecture: 'llama',
    layers,
    hiddenSize,
    intermediateSize,
    heads,
    kvHeads,
    headSize,
    vocabularySize,
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    ropeScaling: { type: 'none' },
    tiedHead: true,
    qkvBias: false,
    qkNorm: false,
    maxPositions: 4096,
    bosToken: 1,
    eosTokens: [2],
  };
  return referenceTransformer(config, {
    embedding: matrix(vocabularySize, hiddenSize),
    finalNorm: ones(),
    layers: Array.from({ length: layers }, () => ({
      attentionNorm: ones(),
      q: matrix(heads * headSize, hiddenSize),
      k: matrix(kvHeads * headSize, hiddenSize),
      v: matrix(kvHeads * headSize, hiddenSize),
      o: matrix(hiddenSize, heads * headSize),
      mlpNorm: ones(),
      gate: matrix(intermediateSize, hiddenSize),
      up: matrix(intermediateSize, hiddenSize),
      down: matrix(hiddenSize, intermediateSize),
    })),
  });
}

/** Tokens of the tiny model's vocabulary after a begin-of-sequence token. */
export function tinyText(seed: number, count: number, vocabularySize = 12): number[] {
  const random = createRandom(seed ^ 0x5eed);
  return [1, ...Array.from({ length: count - 1 }, () => random.integer(3, vocabularySize - 1))];
}

/** Largest absolute difference. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= most)) most = difference;
  }
  return most;
}
