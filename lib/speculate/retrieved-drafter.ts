import { createFullCache, type FullCache } from '../transformer/full-cache';
import { argMax, prefill } from '../transformer/generate';
import type { Transformer } from '../transformer/types';
import type { Drafter } from './types';

export interface RetrievedDrafterOptions {
  /** Tokens of a piece of the context. */
  readonly chunkTokens: number;
  /** Pieces that the drafter reads. */
  readonly chunks: number;
}

/**
 * RAPID (Chen et al., 2025) with the same model as drafter and its target distribution unshifted,
 * which keeps the text greedy: the drafter reads the begin-of-sequence token, the pieces of the
 * context nearest to the question, in text order, and the question. The paper retrieves by embeddings; here a piece's
 * score is the sum over the question's distinct tokens found in it of log(pieces / pieces with it).
 */
export function retrievedDrafter(model: Transformer, options: RetrievedDrafterOptions): Drafter {
  const { chunkTokens, chunks } = options;
  if (!(Number.isInteger(chunkTokens) && chunkTokens > 0)) {
    throw new RangeError(`invalid chunkTokens: ${chunkTokens} (expected a positive integer)`);
  }
  if (!(Number.isInteger(chunks) && chunks > 0)) {
    throw new RangeError(`invalid chunks: ${chunks} (expected a positive integer)`);
  }
  let cache: FullCache = createFullCache(model.config);
  let base = 0;
  return {
    label: `${chunks} retrieved pieces of ${chunkTokens} tokens as drafter`,
    begin({ context, question }) {
      cache = createFullCache(model.config);
      const read = [...retrieve(context, question, options), ...question];
      if (read.length > 0) prefill(model, cache, read, 0);
      base = read.length;
    },
    propose(generated, count) {
      // All but the last generated token are in the cache already where they were accepted.
      let held = Math.min(cache.tokens - base, generated.length - 1);
      cache.truncate(base + held);
      const tokens: number[] = [];
      let calls = 0;
      let fed = generated.slice(held);
      while (tokens.length < count) {
        const positions = fed.map((_, i) => base + held + i);
        const token = argMax(model.forward({ tokens: fed, positions, cache }).logits);
        calls++;
        held += fed.length;
        tokens.push(token);
        fed = [token];
      }
      cache.truncate(base + generated.length);
      return { tokens, modelCalls: calls };
    },
  };
}

/** The first token and the best pieces of a context, in text order. */
export function retrieve(
  context: readonly number[],
  question: readonly number[],
  { chunkTokens, chunks }: RetrievedDrafterOptions,
): number[] {
  const pieces: number[][] = [];
  for (let at = 1; at < context.length; at += chunkTokens) {
    pieces.push(context.slice(at, at + chunkTokens));
  }
  const sets = pieces.map((piece) => new Set(piece));
  const scores = new Float64Array(pieces.length);
  for (const token of new Set(question)) {
    const holders = sets.filter((set) => set.has(token)).length;
    if (holders === 0) continue;
    const weight = Math.log(pieces.length / holders);
    sets.forEach((set, i) => {
      if (set.has(token)) scores[i] = scores[i]! + weight;
    });
  }
  const best = pieces
    .map((_, i) => i)
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, chunks)
    .sort((a, b) => a - b);
  return [...context.slice(0, 1), ...best.flatMap((i) => pieces[i]!)];
}
