import { createRowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { SessionFactory } from '../types';
import { concatenate, planChunks } from './chunks';

/** The reference of chunk reuse: nothing is reused, the context is read as one text. */
export const recomputedSession: SessionFactory = {
  label: 'full recompute',
  open(model) {
    const rows = createRowCache(model.config);
    let recomputed = 0;
    return openRowSession(model, {
      rows,
      encode(context, _chunkStarts, _question, edit) {
        const positions = context.map((_, i) => i);
        model.forward({ tokens: context, positions, cache: rows, logits: 'none' });
        // Tokens that an edit put in are run for the first time.
        const known = context.length - (edit?.inserted.length ?? 0);
        recomputed = known * model.config.layers;
      },
      recomputedTokenLayers: () => recomputed,
    });
  },
};

/**
 * Naive reuse: every chunk is encoded alone after the shared prefix and put at its place, with keys
 * rotated for it. No chunk has read another. Exact for a context of one chunk.
 */
export const concatenatedSession: SessionFactory = {
  label: 'chunks concatenated',
  open(model) {
    const rows = createRowCache(model.config);
    return openRowSession(model, {
      rows,
      encode(context, chunkStarts) {
        const plan = planChunks(context, chunkStarts, model.config.bosToken);
        concatenate(model, rows, context, plan);
      },
    });
  },
};
