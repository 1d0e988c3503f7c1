import { createRandom } from '../../random/random';
import { linear, rmsNorm } from '../../transformer/reference';
import type { Transformer } from '../../transformer/types';
import { createRowCache, type RowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { SessionFactory } from '../types';
import { concatenate, planChunks } from './chunks';

/**
 * Which tokens are computed again: those whose values at the check layer moved most, chance, or those
 * whose values move most over all upper layers, which only a full run knows (an oracle).
 */
export type BlendOrder = 'deviation' | 'random' | 'oracle';

export interface CacheBlendOptions {
  /** Share of the context that is computed again. Code's default 0.16. */
  readonly ratio?: number;
  /** Layer whose values are compared; the layers below run for every token. Code's default 1. */
  readonly checkLayer?: number;
  readonly order?: BlendOrder;
  /** Of the random order. */
  readonly seed?: number;
}

/**
 * CacheBlend (Yao et al., 2024): chunks encoded alone are put at their places; the layers below the
 * check layer run for every token; there the tokens whose fresh values differ most from the stored
 * ones are chosen, and from there on only they run, over a cache that is partly stale, and overwrite
 * their rows. At ratio 1 this is full recomputation.
 */
export function cacheBlendSession(options: CacheBlendOptions = {}): SessionFactory {
  const { ratio = 0.16, checkLayer = 1, order = 'deviation', seed = 1 } = options;
  if (!(ratio >= 0 && ratio <= 1)) {
    throw new RangeError(`invalid ratio: ${ratio} (expected 0..1)`);
  }
  return {
    label: `CacheBlend, ${Math.round(ratio * 1000) / 10} %${order === 'deviation' ? '' : `, ${order} order`}`,
    open(model) {
      const { layers } = model.config;
      if (!(Number.isInteger(checkLayer) && checkLayer >= 0 && checkLayer < layers)) {
        throw new RangeError(`invalid checkLayer: ${checkLayer} (expected 0..${layers - 1})`);
      }
      const rows = createRowCache(model.config);
      let recomputed = 0;
      return openRowSession(model, {
        rows,
        encode(context, chunkStarts) {
          const plan = planChunks(context, chunkStarts, model.config.bosToken);
          concatenate(model, rows, context, plan);
          const count = Math.floor(context.length * ratio);
          const hidden = runBelow(model, rows, context, checkLayer);
          const score =
            order === 'random'
              ? randomScores(context.length, seed)
              : order === 'oracle'
                ? oracleScores(model, rows, context, checkLayer)
                : deviationAt(model, rows, hidden, checkLayer);
          const chosen = topRows(score, count);
          runChosen(model, rows, context, hidden, chosen, checkLayer);
          recomputed = context.length * checkLayer + chosen.length * (layers - checkLayer);
        },
        recomputedTokenLayers: () => recomputed,
      });
    },
  };
}

/** Runs every token through the layers below one; the residual stream at its entry. */
function runBelow(
  model: Transformer,
  cache: RowCache,
  context: readonly number[],
  layer: number,
): Float32Array {
  const { hiddenSize } = model.config;
  if (layer > 0) {
    const positions = context.map((_, i) => i);
    return model.forward({ tokens: context, positions, cache, toLayer: layer, logits: 'none' })
      .hidden;
  }
  const hidden = new Float32Array(context.length * hiddenSize);
  context.forEach((token, i) => {
    const from = token * hiddenSize;
    hidden.set(model.weights.embedding.subarray(from, from + hiddenSize), i * hiddenSize);
  });
  return hidden;
}

/** Squared distance of fresh and held values per token, over all KV heads and channels of a layer. */
function deviationAt(
  model: Transformer,
  cache: RowCache,
  hidden: Float32Array,
  layer: number,
): Float64Array {
  const { hiddenSize, kvHeads, headSize, normEpsilon } = model.config;
  const weights = model.weights.layers[layer]!;
  const rows = hidden.length / hiddenSize;
  const normed = rmsNorm(hidden, weights.attentionNorm, normEpsilon);
  const fresh = linear(normed, rows, weights.v, hiddenSize, weights.vBias);
  const held = new Float32Array(fresh.length);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const { values } = cache.head(layer, kvHead);
    for (let row = 0; row < rows; row++) {
      const from = values.subarray(row * headSize, (row + 1) * headSize);
      held.set(from, (row * kvHeads + kvHead) * headSize);
    }
  }
  return squaredDeviation(fresh, held, rows);
}

/** Sum of squared differences of every row. */
export function squaredDeviation(
  fresh: Float32Array,
  held: Float32Array,
  rows: number,
): Float64Array {
  const width = fresh.length / rows;
  const out = new Float64Array(rows);
  for (let i = 0; i < fresh.length; i++) {
    const row = Math.floor(i / width);
    out[row] = out[row]! + (fresh[i]! - held[i]!) ** 2;
  }
  return out;
}

function randomScores(count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => random.uniform());
}

function oracleScores(
  model: Transformer,
  cache: RowCache,
  context: readonly number[],
  from: number,
): Float64Array {
  const { layers, kvHeads } = model.config;
  const truth = createRowCache(model.config);
  const positions = context.map((_, i) => i);
  model.forward({ tokens: context, positions, cache: truth, logits: 'none' });
  const out = new Float64Array(context.length);
  for (let layer = from; layer < layers; layer++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const fresh = truth.head(layer, kvHead).values;
      const part = squaredDeviation(fresh, cache.head(layer, kvHead).values, context.length);
      for (let i = 0; i < out.length; i++) out[i] = out[i]! + part[i]!;
    }
  }
  return out;
}

/** Rows of the largest scores, ascending; the first of equals. */
export function topRows(scores: Float64Array, count: number): Int32Array {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return Int32Array.from(order.slice(0, count)).sort();
}

/** Runs chosen tokens from a layer on, over the rows of all others as they are. */
function runChosen(
  model: Transformer,
  cache: RowCache,
  context: readonly number[],
  hidden: Float32Array,
  chosen: Int32Array,
  fromLayer: number,
): void {
  if (chosen.length === 0) return;
  const { hiddenSize } = model.config;
  const input = new Float32Array(chosen.length * hiddenSize);
  chosen.forEach((row, i) => {
    input.set(hidden.subarray(row * hiddenSize, (row + 1) * hiddenSize), i * hiddenSize);
  });
  model.forward({
    tokens: Array.from(chosen, (row) => context[row]!),
    positions: chosen,
    cache,
    fromLayer,
    hidden: input,
    logits: 'none',
  });
}
