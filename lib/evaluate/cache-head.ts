import type { CacheSession, Protocol } from '../cache/types';
import type { TaskSample } from '../tasks/types';
import { createFullCache } from '../transformer/full-cache';
import { prefill } from '../transformer/generate';
import type { AttentionCache, Transformer } from '../transformer/types';
import { type CacheSteps, stepsOfCache } from './cache-steps';

/** A head of a cache: who attends to what with nothing dropped, and what a policy let them see. */
export interface CacheHead {
  readonly layer: number;
  readonly kvHead: number;
  readonly contextTokens: number;
  readonly questionTokens: number;
  /** Every token: the context, the question, what was written. */
  readonly labels: readonly string[];
  /** Query heads that share the KV head, the first of them, and all that the model has. */
  readonly group: number;
  readonly firstHead: number;
  readonly heads: number;
  readonly layers: number;
  readonly headSize: number;
  /** Of the full cache, NaN for keys after the query: [group, tokens, tokens], queries by keys. */
  readonly attention: Float32Array;
  /** Index into `SLOT_STATES`, `UNSEEN` or `UNTOLD`: [tokens, tokens], queries by keys. */
  readonly states: Uint8Array;
}

export interface CacheHeadRequest {
  /** Says which sample and policy these are; the same for the same ones. */
  readonly sampleKey: string;
  readonly policyKey: string;
  readonly sample: TaskSample;
  readonly protocol: Protocol;
  open(model: Transformer): CacheSession;
  readonly layer: number;
  readonly kvHead: number;
}

/**
 * Heads of caches over one model. What one run gives for all heads is kept until another sample or
 * policy is asked for: bytes of layers x KV heads x tokens^2, and floats of one layer's heads.
 */
export function createCacheHeads(
  model: Transformer,
  labelOf: (token: number) => string,
): (request: CacheHeadRequest) => CacheHead {
  let steps: { readonly key: string; readonly value: CacheSteps } | undefined;
  let maps: { readonly key: string; readonly value: readonly Float32Array[] } | undefined;
  const { layers, heads, kvHeads, headSize } = model.config;
  const group = heads / kvHeads;

  return ({ sampleKey, policyKey, sample, protocol, open, layer, kvHead }) => {
    if (!(layer < layers && kvHead < kvHeads)) {
      throw new RangeError(
        `invalid head: layer ${layer}, KV head ${kvHead} (expected 0..${layers - 1} and 0..${kvHeads - 1})`,
      );
    }
    const key = `${sampleKey} ${policyKey}`;
    if (steps?.key !== key) {
      steps = { key, value: stepsOfCache(model, open, sample, protocol) };
    }
    const { tokens, contextTokens, questionTokens, states } = steps.value;
    const mapKey = `${layer} ${tokens.join(' ')}`;
    if (maps?.key !== mapKey) maps = { key: mapKey, value: layerAttention(model, tokens, layer) };
    const size = tokens.length ** 2;
    const attention = new Float32Array(group * size);
    for (let head = 0; head < group; head++) {
      attention.set(maps.value[kvHead * group + head]!, head * size);
    }
    const first = (layer * kvHeads + kvHead) * size;
    return {
      layer,
      kvHead,
      contextTokens,
      questionTokens,
      labels: tokens.map(labelOf),
      group,
      firstHead: kvHead * group,
      heads,
      layers,
      headSize,
      attention,
      states: states.slice(first, first + size),
    };
  };
}

/** Attention weights of every query head of a layer over the full cache, [tokens, tokens] each. */
function layerAttention(
  model: Transformer,
  tokens: readonly number[],
  layer: number,
): readonly Float32Array[] {
  const { heads, kvHeads } = model.config;
  const group = heads / kvHeads;
  const count = tokens.length;
  const maps = Array.from({ length: heads }, () => new Float32Array(count * count));
  const full = createFullCache(model.config);
  const observed: AttentionCache = {
    ...full,
    observe({ layer: at, kvHead, rows, weights }) {
      if (at !== layer) return;
      // All tokens run at once from the first on, so rows and keys are places in the text.
      for (let query = 0; query < rows; query++) {
        for (let head = 0; head < group; head++) {
          const map = maps[kvHead * group + head]!;
          const from = (query * group + head) * count;
          map.set(weights.subarray(from, from + query + 1), query * count);
          map.fill(Number.NaN, query * count + query + 1, (query + 1) * count);
        }
      }
    },
  };
  prefill(model, observed, tokens, 0);
  return maps;
}
