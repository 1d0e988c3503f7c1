import { createFullCache } from './full-cache';
import { ropeOf, rotateInto } from './reference';
import type { ProjectedRows, Transformer } from './types';

/** Q, K and V of one layer as attention kernels take them, after RoPE. */
export interface LayerTensors {
  /** [heads, tokens, headSize] */
  readonly query: Float32Array;
  /** [kvHeads, tokens, headSize] */
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/**
 * What a layer's attention works on when the model reads a text.
 *
 * @throws RangeError for a layer that the model has not
 */
export function layerTensors(
  model: Transformer,
  tokens: readonly number[],
  layer: number,
): LayerTensors {
  const { layers, heads, kvHeads, headSize } = model.config;
  if (!(Number.isInteger(layer) && layer >= 0 && layer < layers)) {
    throw new RangeError(`invalid layer: ${layer} (expected 0..${layers - 1})`);
  }
  let found: ProjectedRows | undefined;
  model.forward({
    tokens,
    positions: tokens.map((_, position) => position),
    cache: createFullCache(model.config),
    toLayer: layer + 1,
    logits: 'none',
    hooks: {
      onProjected(at, rows) {
        if (at === layer) found = { ...rows };
      },
    },
  });
  const { queries, keys, values } = found!;
  const rope = ropeOf(model.config);
  const headsFirst = (rows: Float32Array, count: number, rotates: boolean): Float32Array => {
    const out = new Float32Array(rows.length);
    for (let head = 0; head < count; head++) {
      for (let t = 0; t < tokens.length; t++) {
        const from = (t * count + head) * headSize;
        const to = (head * tokens.length + t) * headSize;
        if (rotates) rotateInto(rows, from, t, rope, out, to);
        else out.set(rows.subarray(from, from + headSize), to);
      }
    }
    return out;
  };
  return {
    query: headsFirst(queries, heads, true),
    key: headsFirst(keys, kvHeads, true),
    value: headsFirst(values, kvHeads, false),
  };
}
