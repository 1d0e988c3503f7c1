import { createFullCache } from '../../transformer/full-cache';
import { argMax, decodeGreedy, prefill } from '../../transformer/generate';
import type { Transformer } from '../../transformer/types';

const NONE: ReadonlySet<number> = new Set();

/** Where a block of guesses came to rest. */
export interface FixedPoint {
  readonly tokens: readonly number[];
  /** Iterations that changed a token; the one that changes none is not counted. */
  readonly iterations: number;
  readonly isGreedy: boolean;
}

/**
 * Jacobi iteration on one block (Santilli et al., 2023): all guesses are run at once and each is
 * replaced by what the model picks behind those before it, until nothing changes.
 *
 * @param tokens of the block
 */
export function blockFixedPoint(
  model: Transformer,
  prompt: readonly number[],
  tokens: number,
): FixedPoint {
  const cache = createFullCache(model.config);
  const logits = prefill(model, cache, prompt, 0);
  const greedy = decodeGreedy(model, cache, logits, prompt.length, tokens + 1, NONE);
  cache.truncate(prompt.length);
  const first = argMax(logits);
  const width = model.config.vocabularySize;
  let block: readonly number[] = Array.from({ length: tokens }, () => first);
  let iterations = 0;
  for (;;) {
    const fed = [first, ...block.slice(0, -1)];
    const out = model.forward({
      tokens: fed,
      positions: fed.map((_, i) => prompt.length + i),
      cache,
      logits: 'all',
    }).logits;
    cache.truncate(prompt.length);
    const picks = fed.map((_, i) => argMax(out.subarray(i * width, (i + 1) * width)));
    if (picks.every((token, i) => token === block[i])) break;
    block = picks;
    iterations++;
    if (iterations > tokens) break;
  }
  const text = [first, ...block];
  return { tokens: text, iterations, isGreedy: text.every((token, i) => token === greedy[i]) };
}
