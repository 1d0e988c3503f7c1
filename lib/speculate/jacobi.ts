import type { Drafter } from './types';

export interface JacobiOptions {
  /** N-grams of past iterations kept per first token; 0 is plain Jacobi decoding. */
  readonly poolSize?: number;
  /** Tokens of a recycled n-gram. */
  readonly ngram?: number;
}

/**
 * Jacobi decoding (Santilli et al., 2023) as a drafter: a block of guesses is run once causally and
 * replaced by what the model picked at each place; the matching prefix is greedy text. What was
 * picked behind the first mismatch is the next guess.
 *
 * With a pool, picks that were thrown away are recycled as in Jacobi Forcing (Hu et al., 2025): a
 * kept n-gram that starts with the last token goes before the block. That code verifies `poolSize`
 * of them side by side; here the latest is verified in the block itself, so a step stays one chain.
 */
export function jacobi({ poolSize = 4, ngram = 4 }: JacobiOptions = {}): Drafter {
  if (!(Number.isInteger(poolSize) && poolSize >= 0)) {
    throw new RangeError(`invalid poolSize: ${poolSize} (expected a whole number)`);
  }
  if (!(Number.isInteger(ngram) && ngram >= 2)) {
    throw new RangeError(`invalid ngram: ${ngram} (expected at least 2)`);
  }
  let block: readonly number[] = [];
  const pool = new Map<number, number[][]>();

  function keep(gram: readonly number[]): void {
    const [first, ...rest] = gram as [number, ...number[]];
    const kept = (pool.get(first) ?? []).filter((one) => one.join() !== rest.join());
    pool.set(first, [...kept, rest].slice(-poolSize));
  }

  return {
    label: poolSize === 0 ? 'Jacobi' : `Jacobi with ${poolSize} recycled ${ngram}-grams`,
    begin() {
      block = [];
      pool.clear();
    },
    propose(generated, count) {
      const last = generated.at(-1)!;
      const recycled = pool.get(last)?.at(-1) ?? [];
      const guess = [...recycled, ...block.slice(recycled.length)].slice(0, count);
      // Any start works; repeating the last token needs no source of chance.
      while (guess.length < count) guess.push(last);
      return { tokens: guess, modelCalls: 0 };
    },
    learn(picks, accepted) {
      block = picks.slice(accepted + 1);
      if (poolSize === 0) return;
      for (let at = 0; at + 1 < picks.length; at++) {
        const gram = picks.slice(at, at + ngram);
        if (gram.length > 1) keep(gram);
      }
    },
  };
}
