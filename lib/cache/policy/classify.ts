import { createRandom } from '../../random/random';
import type { CachePolicy } from '../../spec/cache-policy';
import { ropeOf, rotateInto } from '../../transformer/reference';
import type { Transformer, TransformerConfig } from '../../transformer/types';
import { createSlotCache } from '../slots/slot-cache';

/** How much of the context each head needs, higher for more: [layers][kvHeads]. */
export type HeadGates = readonly (readonly number[])[];

/** Attention of one query head to the same token, and to the token after it, one repeat ago. */
export interface EchoInduction {
  readonly echo: number;
  readonly induction: number;
}

/**
 * RazorAttention's test of heads (Tang et al., 2024): random tokens, repeated. Means over the queries
 * after the first repeat.
 *
 * @param pool tokens to draw from; the whole vocabulary unless given
 * @returns [layers][heads]
 */
export function echoInduction(
  model: Transformer,
  { randomTokens, repeats, seed }: { randomTokens: number; repeats: number; seed: number },
  pool?: readonly number[],
): EchoInduction[][] {
  const { config } = model;
  const { layers, heads, kvHeads, vocabularySize, bosToken } = config;
  const random = createRandom(seed);
  const block = Array.from({ length: randomTokens }, () =>
    pool ? pool[random.integer(0, pool.length - 1)]! : random.integer(0, vocabularySize - 1),
  );
  const first = bosToken === undefined ? [] : [bosToken];
  const tokens = [...first, ...Array.from({ length: repeats }, () => block).flat()];
  const group = heads / kvHeads;
  const result = Array.from({ length: layers }, () =>
    Array.from({ length: heads }, () => ({ echo: 0, induction: 0 })),
  );
  const from = first.length + randomTokens;
  const share = 1 / (tokens.length - from);
  const cache = createSlotCache(config, { storage: 'f32' });
  cache.setObserver(({ layer, kvHead, rows, count, weights }) => {
    for (let row = from; row < rows; row++) {
      for (let member = 0; member < group; member++) {
        const at = (row * group + member) * count + row - randomTokens;
        const head = result[layer]![kvHead * group + member]!;
        head.echo += share * weights[at]!;
        head.induction += share * weights[at + 1]!;
      }
    }
  });
  const positions = tokens.map((_, i) => i);
  model.forward({ tokens, positions, cache, logits: 'none' });
  return result;
}

/** The strongest echo or induction of the query heads that share a KV head. */
export function echoInductionGates(
  scores: readonly (readonly EchoInduction[])[],
  config: TransformerConfig,
): HeadGates {
  const group = config.heads / config.kvHeads;
  return scores.map((layer) =>
    Array.from({ length: config.kvHeads }, (_, kvHead) =>
      Math.max(
        ...layer
          .slice(kvHead * group, (kvHead + 1) * group)
          .flatMap(({ echo, induction }) => [echo, induction]),
      ),
    ),
  );
}

/** Sums of queries and keys before RoPE over texts. */
export interface MeanRows {
  /** [layers][heads * headSize] */
  readonly queries: readonly Float64Array[];
  /** [layers][kvHeads * headSize] */
  readonly keys: readonly Float64Array[];
}

/** Mean query and mean key of every head over texts, each run on its own. */
export function meanRows(model: Transformer, samples: readonly (readonly number[])[]): MeanRows {
  const { config } = model;
  const { layers, heads, kvHeads, headSize } = config;
  const zeros = (width: number) =>
    Array.from({ length: layers }, () => new Float64Array(width * headSize));
  const queries = zeros(heads);
  const keys = zeros(kvHeads);
  const total = samples.reduce((sum, sample) => sum + sample.length, 0);
  const add = (sums: Float64Array, rows: Float32Array) => {
    for (let i = 0; i < rows.length; i++) {
      const channel = i % sums.length;
      sums[channel] = sums[channel]! + rows[i]! / total;
    }
  };
  for (const tokens of samples) {
    const cache = createSlotCache(config, { storage: 'f32' });
    model.forward({
      tokens,
      positions: tokens.map((_, i) => i),
      cache,
      logits: 'none',
      hooks: {
        onProjected(layer, rows) {
          add(queries[layer]!, rows.queries);
          add(keys[layer]!, rows.keys);
        },
      },
    });
  }
  return { queries, keys };
}

/**
 * DuoAttention's gates without training, as NVIDIA's kvpress estimates them: the mean query at the
 * end of a span attends to the mean key at every place of it, and the mean of the cumulative
 * attention from the far end says how far back a head looks. Mean over a group's query heads.
 */
export function meanQueryGates(
  { queries, keys }: MeanRows,
  config: TransformerConfig,
  spanTokens: number,
): HeadGates {
  const { heads, kvHeads, headSize } = config;
  const rope = ropeOf(config);
  const group = heads / kvHeads;
  const query = new Float32Array(headSize);
  const key = new Float32Array(headSize);
  return queries.map((layerQueries, layer) => {
    const meanQueries = Float32Array.from(layerQueries);
    const meanKeys = Float32Array.from(keys[layer]!);
    return Array.from({ length: kvHeads }, (_, kvHead) => {
      let gate = 0;
      for (let member = 0; member < group; member++) {
        const head = (kvHead * group + member) * headSize;
        rotateInto(meanQueries, head, spanTokens - 1, rope, query, 0);
        const scores = Float64Array.from({ length: spanTokens }, (_, position) => {
          rotateInto(meanKeys, kvHead * headSize, position, rope, key, 0);
          let dot = 0;
          for (let d = 0; d < headSize; d++) dot += query[d]! * key[d]!;
          return dot / Math.sqrt(headSize);
        });
        gate += meanCumulative(scores) / group;
      }
      return gate;
    });
  });
}

/** Mean over the places of the softmax mass up to each. */
function meanCumulative(scores: Float64Array): number {
  const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  let mean = 0;
  for (const weight of weights) {
    mass += weight / total;
    mean += mass / weights.length;
  }
  return mean;
}

const fitted = new WeakMap<Transformer, Map<string, HeadGates>>();

/**
 * Gates of a policy's classifier for a model. What is fitted to the model alone is fitted once.
 *
 * @param context stands in for samples where none are given
 * @throws RangeError where given gates do not have the model's shape
 */
export function gatesOf(
  classifier: CachePolicy['classifier'],
  model: Transformer,
  context: readonly number[],
  samples?: readonly (readonly number[])[],
): HeadGates | undefined {
  const { config } = model;
  switch (classifier.type) {
    case 'none':
      return undefined;
    case 'gates':
      if (
        classifier.gates.length !== config.layers ||
        classifier.gates.some(({ length }) => length !== config.kvHeads)
      ) {
        throw new RangeError(
          `invalid gates: ${classifier.gates.length} layers of ${classifier.gates[0]?.length} (expected ${config.layers} of ${config.kvHeads})`,
        );
      }
      return classifier.gates;
    case 'echo-induction': {
      // Tokens that the texts are made of: others may be strange to the model.
      const gatesFrom = (texts: readonly (readonly number[])[]) =>
        echoInductionGates(echoInduction(model, classifier, [...new Set(texts.flat())]), config);
      if (!samples) return gatesFrom([context]);
      return remembered(model, JSON.stringify([classifier, samples]), () => gatesFrom(samples));
    }
    case 'mean-query': {
      const gatesFrom = (texts: readonly (readonly number[])[]) =>
        meanQueryGates(meanRows(model, texts), config, classifier.spanTokens);
      if (!samples) return gatesFrom([context]);
      return remembered(model, JSON.stringify([classifier, samples]), () => gatesFrom(samples));
    }
  }
}

function remembered(model: Transformer, key: string, make: () => HeadGates): HeadGates {
  const own = fitted.get(model) ?? new Map<string, HeadGates>();
  fitted.set(model, own);
  const gates = own.get(key) ?? make();
  own.set(key, gates);
  return gates;
}
