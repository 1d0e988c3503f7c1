import { createRandom, type Random } from '../../random/random';
import type { CachePolicy } from '../../spec/cache-policy';
import { ropeOf } from '../../transformer/reference';
import type { TransformerConfig } from '../../transformer/types';
import type { HeadSlots, SlotCache } from '../slots/types';
import type { WindowQueries } from './actions';
import type { LayerPreference } from './allocate';
import { expectedAttention } from './expected-attention';
import { meanOverHeads, poolScores, reduceGroup, reduceRows } from './reduce';
import type { QueryTrace } from './trace';
import { type WindowWeights, windowAttention } from './window-attention';

export interface LayerScores {
  /** Higher is kept, [kvHeads][slots]. */
  readonly scores: Float32Array[];
  readonly preference?: LayerPreference;
}

/** What scorers read. */
export interface Scoring {
  readonly policy: CachePolicy;
  readonly cache: SlotCache;
  readonly config: TransformerConfig;
  readonly trace: QueryTrace;
  /** Tokens of the text so far: the next query stands there. */
  readonly tokens: number;
  /** First text position whose scores are not pooled: the window that is kept anyway. */
  readonly poolEnd: number;
}

/**
 * Scores of one layer's slots: scorer, then over the rows of the window, along positions, over a
 * group's query heads, and over the layer's heads.
 */
export function scoreLayer(scoring: Scoring, layer: number): LayerScores {
  const { policy, cache, config } = scoring;
  const preferences: LayerPreference[] = [];
  const views = Array.from({ length: config.kvHeads }, (_, kvHead) => cache.head(layer, kvHead));
  let scores = views.map((head, kvHead) =>
    scoreHead(scoring, layer, kvHead, head, (preference) => preferences.push(preference)),
  );
  if (policy.reducers.heads === 'mean') {
    scores = meanOverHeads(
      scores,
      views.map(({ positions }) => positions),
    );
  }
  if (preferences.length === 0) return { scores };
  const sum = (of: (one: LayerPreference) => number) =>
    preferences.reduce((total, one) => total + of(one), 0);
  return {
    scores,
    preference: { entropy: sum((one) => one.entropy), variance: sum((one) => one.variance) },
  };
}

function scoreHead(
  { policy, cache, config, trace, tokens, poolEnd }: Scoring,
  layer: number,
  kvHead: number,
  head: HeadSlots,
  prefer: (preference: LayerPreference) => void,
): Float32Array {
  const { scorer, reducers } = policy;
  const { positions, count } = head;
  const { headSize } = config;
  const pooledEnd = positions.findIndex((position) => position >= poolEnd);
  const finish = (perQueryHead: readonly Float32Array[]) =>
    reduceGroup(
      perQueryHead.map((one) =>
        poolScores(one, reducers.pool, pooledEnd < 0 ? undefined : pooledEnd),
      ),
      reducers.group,
    );
  switch (scorer.type) {
    case 'position':
      return Float32Array.from(positions);
    case 'random':
      return randomScores(createRandom(scorer.seed).fork(`${layer}.${kvHead}`), positions);
    case 'key-norm':
    case 'value-norm': {
      const norms = rowNorms(scorer.type === 'key-norm' ? head.keys() : head.values(), headSize);
      return finish([scorer.keep === 'low' ? norms.map((norm) => -norm) : norms]);
    }
    case 'key-mean-cosine':
      return finish([
        meanCosines(scorer.rope === 'before' ? head.keys() : head.rotatedKeys(), headSize),
      ]);
    case 'expected-attention': {
      const next = cache.queryIndex(layer, kvHead, tokens);
      const queries = trace.last(layer, kvHead, Infinity);
      return finish(expectedAttention(queries, head, ropeOf(config), next, scorer));
    }
    case 'attention':
    case 'future-attention': {
      if (scorer.type === 'attention' && scorer.queries === 'all') {
        return finish([accumulated(cache, layer, kvHead, head, tokens, scorer.perVisible)]);
      }
      const queries = queriesOf(scorer, trace, layer, kvHead);
      const window = windowAttention(queries, head, ropeOf(config), (position) =>
        cache.queryIndex(layer, kvHead, position),
      );
      if (policy.allocator.type === 'entropy-variance') {
        prefer(preferenceOf(window, positions, poolEnd));
      }
      const perVisible = scorer.type === 'attention' && scorer.perVisible;
      if (count === 0) return new Float32Array(0);
      return finish(reduceRows(window, reducers.rows, perVisible));
    }
  }
}

/** Which of the recorded queries score. */
function queriesOf(
  scorer: Extract<CachePolicy['scorer'], { type: 'attention' | 'future-attention' }>,
  trace: QueryTrace,
  layer: number,
  kvHead: number,
): WindowQueries {
  if (scorer.type === 'future-attention') return trace.last(layer, kvHead, Infinity);
  const recorded = trace.recorded(layer);
  const wanted = scorer.queries === 'last' ? 1 : Math.min(scorer.windowTokens, recorded);
  if (scorer.queries === 'spread') {
    const rows = Array.from({ length: wanted }, (_, i) =>
      Math.floor(((i + 1) * recorded) / wanted - 1),
    );
    return trace.at(layer, kvHead, rows);
  }
  if (scorer.queries === 'probe') {
    return trace.at(layer, kvHead, probeRows(recorded, wanted, scorer.seed));
  }
  return trace.last(layer, kvHead, wanted);
}

/** Half of the probes are the last queries, half are drawn among the others (as ZipCache does). */
export function probeRows(recorded: number, wanted: number, seed: number): number[] {
  const recent = Math.ceil(wanted / 2);
  const random = createRandom(seed);
  const others = Array.from({ length: recorded - recent }, (_, row) => row);
  for (let i = 0; i < wanted - recent; i++) {
    const j = random.integer(i, others.length - 1);
    [others[i], others[j]] = [others[j]!, others[i]!];
  }
  return [
    ...others.slice(0, wanted - recent).sort((a, b) => a - b),
    ...Array.from({ length: recent }, (_, i) => recorded - recent + i),
  ];
}

/** Attention summed as it came; per query that saw the slot where asked. */
function accumulated(
  cache: SlotCache,
  layer: number,
  kvHead: number,
  { positions, count }: HeadSlots,
  tokens: number,
  perVisible: boolean,
): Float32Array {
  const sums = cache.meta(layer, kvHead, 'saliency') ?? new Float32Array(count);
  return perVisible
    ? sums.map((sum, slot) => sum / Math.max(1, tokens - positions[slot]!))
    : sums.slice();
}

/** CAKE's layer preference (Qin et al., 2025), of the part of the text before the window. */
function preferenceOf(
  { rows, group, slots, weights }: WindowWeights,
  positions: Int32Array,
  end: number,
): LayerPreference {
  let entropy = 0;
  let variance = 0;
  const sums = new Float64Array(slots);
  const squares = new Float64Array(slots);
  for (let member = 0; member < group; member++) {
    sums.fill(0);
    squares.fill(0);
    for (let row = 0; row < rows; row++) {
      const start = (row * group + member) * slots;
      for (let slot = 0; slot < slots; slot++) {
        const weight = positions[slot]! < end ? weights[start + slot]! : 0;
        if (weight > 0) entropy -= weight * Math.log(weight);
        sums[slot] = sums[slot]! + weight;
        squares[slot] = squares[slot]! + weight * weight;
      }
    }
    for (let slot = 0; slot < slots && rows > 0; slot++) {
      variance += Math.max(0, squares[slot]! / rows - (sums[slot]! / rows) ** 2);
    }
  }
  return { entropy, variance };
}

/** A number per text position, the same however many slots are left. */
function randomScores(random: Random, positions: Int32Array): Float32Array {
  const last = positions.reduce((most, position) => Math.max(most, position), -1);
  const draws = Float32Array.from({ length: last + 1 }, () => random.uniform());
  return Float32Array.from(positions, (position) => draws[position]!);
}

function rowNorms(rows: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: rows.length / width }, (_, row) => {
    let squares = 0;
    for (let d = 0; d < width; d++) squares += rows[row * width + d]! ** 2;
    return Math.sqrt(squares);
  });
}

/** KeyDiff's score: minus the cosine of each key to the mean of the normalised keys. */
function meanCosines(keys: Float32Array, width: number): Float32Array {
  const norms = rowNorms(keys, width);
  const anchor = new Float64Array(width);
  norms.forEach((norm, row) => {
    for (let d = 0; d < width; d++) {
      anchor[d] = anchor[d]! + keys[row * width + d]! / Math.max(norm, 1e-12) / norms.length;
    }
  });
  const length = Math.hypot(...anchor);
  return norms.map((norm, row) => {
    let dot = 0;
    for (let d = 0; d < width; d++) dot += keys[row * width + d]! * anchor[d]!;
    return -dot / Math.max(norm * length, 1e-12);
  });
}
