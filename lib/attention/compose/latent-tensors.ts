import { createRandom } from '../../random/random';
import type { AttentionShape } from '../../spec/kinds/attention';
import type { ComposeParams, ComposeRule } from '../../spec/kinds/compose';
import { applyRope } from '../position/rope';
import { makeRope } from '../position/rope-frequencies';
import { queryPosition } from '../program';
import { encodingOf } from './encode-heads';
import { compressTokens, type LatentCache, type LatentWeights } from './latent-attention';

export type LatentRule = Extract<ComposeRule, { type: 'latent' }>;

/** Seeded weights, and what a call of latent attention starts from. */
export interface LatentTensors {
  readonly weights: LatentWeights;
  /** Of every batch entry. */
  readonly caches: readonly LatentCache[];
  /** [batch, queryHeads, queries, headSize]. */
  readonly content: Float64Array;
  /** [batch, queryHeads, queries, ropeSize], rotated. */
  readonly rope: Float64Array;
}

/** f32 tensors of a call of an attention kernel. */
export interface KernelTensors {
  readonly shape: AttentionShape;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/** Normal weights and tokens, such that scaled scores are about N(0, 1). */
export function makeLatent(params: ComposeParams, rule: LatentRule): LatentTensors {
  const { batch, queryHeads, queries, keys, headSize } = params.shape;
  const { modelSize, rank, ropeSize } = rule;
  const random = createRandom(params.seed).fork('latent');
  const normals = (name: string, length: number, deviation: number) => {
    const source = random.fork(name);
    return Float64Array.from({ length }, () => deviation * source.normal());
  };
  const weights: LatentWeights = {
    shape: { modelSize, rank, ropeSize, heads: queryHeads, headSize, valueSize: headSize },
    down: normals('down', modelSize * rank, 1 / Math.sqrt(modelSize)),
    upKey: normals('key', rank * queryHeads * headSize, 1 / Math.sqrt(rank)),
    upValue: normals('value', rank * queryHeads * headSize, 1 / Math.sqrt(rank)),
    ropeKey: normals('rope key', modelSize * ropeSize, 1 / Math.sqrt(modelSize)),
  };
  const size = { headSize: ropeSize, contextTokens: keys, heads: queryHeads };
  const encoding = encodingOf(params.encoding, size, 0);
  // Without an encoding nothing turns: every position is 0.
  const isTurned = encoding.type === 'rope';
  const rope = isTurned
    ? encoding.rope
    : makeRope({ headSize: ropeSize, base: 10_000, pairing: 'half-split' });
  const at = (position: number) => (isTurned ? position : 0);
  const positions = Float64Array.from({ length: keys }, (_, slot) => at(slot));
  const caches = Array.from({ length: batch }, (_, b) =>
    compressTokens(normals(`hidden ${b}`, keys * modelSize, 1), positions, weights, rope),
  );
  const rows = batch * queryHeads * queries;
  const first = queryPosition(params.shape, 0);
  const turns = Float64Array.from({ length: rows }, (_, row) => at(first + (row % queries)));
  return {
    weights,
    caches,
    content: normals('query', rows * headSize, 1),
    rope: applyRope(normals('rope query', rows * ropeSize, 1), turns, rope),
  };
}

/** The weights of one head alone. */
export function headWeights({ shape, ...weights }: LatentWeights, head: number): LatentWeights {
  const cut = (matrix: ArrayLike<number>, columns: number) =>
    Float64Array.from({ length: shape.rank * columns }, (_, i) => {
      const row = Math.floor(i / columns);
      return matrix[(row * shape.heads + head) * columns + (i % columns)]!;
    });
  return {
    ...weights,
    shape: { ...shape, heads: 1 },
    upKey: cut(weights.upKey, shape.headSize),
    upValue: cut(weights.upValue, shape.valueSize),
  };
}

/**
 * The absorbed form as a kernel runs it: one KV head of rank + ropeSize channels, whose values are
 * the latents and zeros. The kernel divides by the square root of its own head size; queries make up
 * for the difference.
 */
export function* absorbedSteps(
  params: ComposeParams,
  rule: LatentRule,
  latent: LatentTensors,
): Generator<number, KernelTensors> {
  const { batch, queryHeads, queries, keys, headSize } = params.shape;
  const { rank, ropeSize } = rule;
  const size = rank + ropeSize;
  const shape = { ...params.shape, kvHeads: 1, headSize: size };
  const query = new Float32Array(batch * queryHeads * queries * size);
  const key = new Float32Array(batch * keys * size);
  const value = new Float32Array(batch * keys * size);
  const { temperature } = params.parts[0]!;
  const factor = Math.sqrt(size / (headSize + ropeSize)) / temperature;
  latent.caches.forEach((cache, b) => {
    for (let k = 0; k < keys; k++) {
      const at = (b * keys + k) * size;
      const row = cache.latent.subarray(k * rank, (k + 1) * rank);
      key.set(row, at);
      key.set(cache.ropeKey.subarray(k * ropeSize, (k + 1) * ropeSize), at + rank);
      value.set(row, at);
    }
  });
  const { upKey } = latent.weights;
  for (let i = 0; i < batch * queryHeads; i++) {
    const head = i % queryHeads;
    for (let q = i * queries; q < (i + 1) * queries; q++) {
      for (let r = 0; r < rank; r++) {
        let sum = 0;
        for (let d = 0; d < headSize; d++) {
          sum += latent.content[q * headSize + d]! * upKey[(r * queryHeads + head) * headSize + d]!;
        }
        query[q * size + r] = factor * sum;
      }
      for (let d = 0; d < ropeSize; d++) {
        query[q * size + rank + d] = factor * latent.rope[q * ropeSize + d]!;
      }
    }
    yield (i + 1) / (batch * queryHeads);
  }
  return { shape, query, key, value };
}

/** Keys and values written out per head, of headSize + ropeSize channels; values end in zeros. */
export function* expandedSteps(
  params: ComposeParams,
  rule: LatentRule,
  latent: LatentTensors,
): Generator<number, KernelTensors> {
  const { batch, queryHeads, queries, keys, headSize } = params.shape;
  const { rank, ropeSize } = rule;
  const size = headSize + ropeSize;
  const shape = { ...params.shape, kvHeads: queryHeads, headSize: size };
  const query = new Float32Array(batch * queryHeads * queries * size);
  const key = new Float32Array(batch * queryHeads * keys * size);
  const value = new Float32Array(key.length);
  const { temperature } = params.parts[0]!;
  for (let row = 0; row < batch * queryHeads * queries; row++) {
    for (let d = 0; d < headSize; d++) {
      query[row * size + d] = latent.content[row * headSize + d]! / temperature;
    }
    for (let d = 0; d < ropeSize; d++) {
      query[row * size + headSize + d] = latent.rope[row * ropeSize + d]! / temperature;
    }
  }
  const expanded = new Float64Array(2 * headSize);
  for (let i = 0; i < batch * queryHeads; i++) {
    const cache = latent.caches[Math.floor(i / queryHeads)]!;
    const { upKey, upValue } = headWeights(latent.weights, i % queryHeads);
    for (let k = 0; k < keys; k++) {
      expanded.fill(0);
      for (let r = 0; r < rank; r++) {
        const c = cache.latent[k * rank + r]!;
        for (let d = 0; d < headSize; d++) {
          expanded[d]! += c * upKey[r * headSize + d]!;
          expanded[headSize + d]! += c * upValue[r * headSize + d]!;
        }
      }
      const at = (i * keys + k) * size;
      key.set(expanded.subarray(0, headSize), at);
      value.set(expanded.subarray(headSize), at);
      key.set(cache.ropeKey.subarray(k * ropeSize, (k + 1) * ropeSize), at + headSize);
    }
    yield (i + 1) / (batch * queryHeads);
  }
  return { shape, query, key, value };
}
