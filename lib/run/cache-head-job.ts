import type { HeadGates } from '../cache/policy/classify';
import { type CacheHead, type CacheHeadRequest, createCacheHeads } from '../evaluate/cache-head';
import type { CacheParams } from '../spec/kinds/cache';
import { taskOf } from '../tasks/registry';
import { openEntry } from './cache-entry';
import type { LoadedModel } from './model-service';

/** Which head of which entry of a cache cell. */
export interface CacheHeadPlace {
  readonly entry: number;
  readonly layer: number;
  readonly kvHead: number;
  /** Fitted ones that the entry ran with. */
  readonly gates?: HeadGates;
}

export type CacheHeadJob = (
  params: CacheParams,
  loaded: LoadedModel,
  place: CacheHeadPlace,
) => CacheHead;

/** Heads of the looked-at sample of cache cells; what was run last is kept. */
export function createCacheHeadJob(): CacheHeadJob {
  let held:
    | { readonly of: LoadedModel; readonly get: (request: CacheHeadRequest) => CacheHead }
    | undefined;
  return (params, loaded, { entry: at, layer, kvHead, gates }) => {
    const entry = params.entries[at];
    if (entry === undefined) {
      throw new RangeError(`invalid policy: ${at} (expected 0..${params.entries.length - 1})`);
    }
    if (held?.of !== loaded) {
      const label = (token: number) => loaded.tokenizer.labelOf(token);
      held = { of: loaded, get: createCacheHeads(loaded.transformer, label) };
    }
    const { task, contextTokens, seed, look, protocol } = params;
    return held.get({
      sampleKey: JSON.stringify([task, contextTokens, seed, look.sample, protocol]),
      policyKey: JSON.stringify([entry, gates]),
      sample: taskOf(task).sample({ contextTokens, seed, index: look.sample }),
      protocol,
      open: (model) => openEntry(entry, model, gates),
      layer,
      kvHead,
    });
  };
}
