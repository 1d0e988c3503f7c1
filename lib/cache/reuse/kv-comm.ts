import { createRowCache } from '../rows/row-cache';
import { openRowSession } from '../rows/row-session';
import type { SessionFactory } from '../types';
import { type AnchorPool, type AnchorPoolOptions, createAnchorPool } from './anchor-pool';
import { encodeAt, encodeChunks, placeChunk, planChunks, type StoredChunk } from './chunks';

export interface KvCommOptions extends Partial<AnchorPoolOptions> {
  /** Anchors of earlier texts; a session starts with none unless given. */
  readonly pool?: AnchorPool;
}

/**
 * KVComm (Ye et al., 2025) on the chunks of one context: a chunk encoded alone is shifted by the
 * offsets that earlier chunks were seen to have; the first ones, and those unlike any anchor, are
 * computed at their place and become anchors. The pool's size and threshold are ours; the offsets
 * that the paper also keeps for the text behind a chunk are not used.
 */
export function kvCommSession(options: KvCommOptions = {}): SessionFactory {
  const { maxAnchors = 20, entropyThreshold = 0.9 } = options;
  return {
    label: `KVComm, up to ${maxAnchors} anchors`,
    open(model) {
      const rows = createRowCache(model.config);
      const pool = options.pool ?? createAnchorPool({ maxAnchors, entropyThreshold });
      let recomputed = 0;
      return openRowSession(model, {
        rows,
        encode(context, chunkStarts) {
          const plan = planChunks(context, chunkStarts, model.config.bosToken);
          const { prefix, stored } = encodeChunks(model, context, plan);
          placeChunk(rows, prefix, 0);
          stored.forEach((alone, i) => {
            const start = plan.chunks[i]![0];
            // Nothing but the prefix stands before the first chunk, so alone is what it is.
            const shifted = i === 0 ? alone : pool.predict(alone);
            if (shifted) {
              placeChunk(rows, shifted, start);
              return;
            }
            const placed = encodeAt(model, rows, alone.tokens, start);
            pool.add({ alone, offset: difference(placed, alone) });
            recomputed += alone.tokens.length * model.config.layers;
          });
        },
        recomputedTokenLayers: () => recomputed,
      });
    },
  };
}

/** Keys and values of one minus the other's. */
export function difference(placed: StoredChunk, alone: StoredChunk): StoredChunk {
  return {
    tokens: placed.tokens,
    layers: placed.layers.map(({ keys, values }, layer) => {
      const from = alone.layers[layer]!;
      return {
        keys: keys.map((key, i) => key - from.keys[i]!),
        values: values.map((value, i) => value - from.values[i]!),
      };
    }),
  };
}
