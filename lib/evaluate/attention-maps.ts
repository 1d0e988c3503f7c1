import { createFullCache } from '../transformer/full-cache';
import { prefill } from '../transformer/generate';
import type { Transformer } from '../transformer/types';

/** Attention weights of every head over one text. */
export interface AttentionMaps {
  readonly tokens: readonly number[];
  readonly layers: number;
  readonly heads: number;
  /** Softmax weights of one query head, [tokens, tokens], queries by keys. */
  map(layer: number, head: number): Float32Array;
}

/** Runs a text over the full cache and keeps what every head attends to: 4 bytes x heads x tokens^2. */
export function attentionMaps(model: Transformer, tokens: readonly number[]): AttentionMaps {
  const { layers, heads, kvHeads } = model.config;
  const count = tokens.length;
  const group = heads / kvHeads;
  const maps = Array.from({ length: layers * heads }, () => new Float32Array(count * count));
  const cache = createFullCache(model.config);
  const observed = {
    ...cache,
    observe({ layer, kvHead, rows, weights, count: keys }: Observed) {
      for (let row = 0; row < rows; row++) {
        for (let head = 0; head < group; head++) {
          const from = (row * group + head) * keys;
          const map = maps[layer * heads + kvHead * group + head] as Float32Array;
          map.set(weights.subarray(from, from + keys), row * count);
        }
      }
    },
  };
  prefill(model, observed, tokens, 0);
  return {
    tokens,
    layers,
    heads,
    map(layer, head) {
      const map = maps[layer * heads + head];
      if (map === undefined || head >= heads) {
        throw new RangeError(
          `invalid head: ${layer}.${head} (expected 0..${layers - 1}.0..${heads - 1})`,
        );
      }
      return map;
    },
  };
}

interface Observed {
  readonly layer: number;
  readonly kvHead: number;
  readonly rows: number;
  readonly count: number;
  readonly weights: Float32Array;
}
