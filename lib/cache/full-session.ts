import { createFullCache } from '../transformer/full-cache';
import { decodeGreedy, prefill } from '../transformer/generate';
import type { LayerBytes, SessionFactory } from './types';

/** The full cache in f32: the baseline of every policy. */
export const fullSession: SessionFactory = {
  label: 'full cache',
  open(model) {
    const { layers, kvHeads, headSize } = model.config;
    const cache = createFullCache(model.config);
    let contextTokens = 0;
    let next = 0;
    let logits: Float32Array = new Float32Array(0);
    let questionRan = false;
    return {
      prefill(context, options = {}) {
        logits = prefill(model, cache, context, 0);
        contextTokens = context.length;
        next = contextTokens;
        questionRan = options.question !== undefined;
        if (options.question) {
          logits = prefill(model, cache, options.question, next);
          next += options.question.length;
        }
      },
      ask(question, count, stop) {
        if (!questionRan) {
          logits = prefill(model, cache, question, next);
          next += question.length;
        }
        questionRan = false;
        const out = decodeGreedy(model, cache, logits, next, count, stop);
        next = cache.tokens;
        return out;
      },
      rewind() {
        cache.truncate(contextTokens);
        next = contextTokens;
        questionRan = false;
      },
      ledger() {
        const payload = 2 * 4 * headSize * kvHeads * cache.tokens;
        const list: LayerBytes[] = Array.from({ length: layers }, (_, layer) => ({
          layer,
          tier: 'device',
          bytes: { payload, scales: 0, indices: 0, factors: 0, summaries: 0, positions: 0 },
        }));
        return {
          layers: list,
          slots: list.map(() => Array.from({ length: kvHeads }, () => cache.tokens)),
          tokensSeen: cache.tokens,
          movedBytes: 0,
          recomputedTokenLayers: 0,
        };
      },
      slots: () =>
        Array.from({ length: cache.tokens }, (_, position) => ({
          position,
          multiplicity: 1,
          state: 'kept',
          bytes: 2 * 4 * headSize,
        })),
      dropped: () => [],
    };
  },
};
