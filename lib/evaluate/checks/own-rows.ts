import { createRowCache } from '../../cache/rows/row-cache';
import { taskOf } from '../../tasks/registry';
import type { Transformer } from '../../transformer/types';

/** What a layer projects a text to. */
export interface LayerRows {
  /** Before RoPE, [rows, kvHeads x headSize]. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Keys and values of every layer over a text, with nothing left out. */
export function ownRows(model: Transformer, tokens: readonly number[]): readonly LayerRows[] {
  const layers: LayerRows[] = [];
  model.forward({
    tokens: [...tokens],
    positions: tokens.map((_, i) => i),
    cache: createRowCache(model.config),
    logits: 'none',
    hooks: {
      onProjected(_, { keys, values }) {
        layers.push({ keys: keys.slice(), values: values.slice() });
      },
    },
  });
  return layers;
}

/** Contexts of a task as texts, of a stream of their own where `seed` is another than a check's. */
export function contextsOf(
  task: string,
  contextTokens: number,
  count: number,
  seed: number,
): readonly (readonly number[])[] {
  return Array.from(
    { length: count },
    (_, index) => taskOf(task).sample({ contextTokens, seed, index }).context,
  );
}
