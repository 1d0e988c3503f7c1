import { argMax } from '../transformer/generate';
import type { AttentionCache, Transformer } from '../transformer/types';
import type { Drafter, Speculated, SpeculationRound } from './types';

/** A cache that can take rejected tokens back. */
export interface TruncatableCache extends AttentionCache {
  /** Forgets everything from a text position on. */
  truncate(position: number): void;
}

export interface SpeculateOptions {
  readonly drafter: Drafter;
  /** Most tokens drafted per round. */
  readonly draftTokens: number;
}

/**
 * Draft and verify with greedy matching (Leviathan et al., 2023; Chen et al., 2023, at temperature
 * 0): every guess is kept up to the first that differs from the verifier's own choice, which takes
 * its place. The text is that of `decodeGreedy` for any drafter, and so is the cache it leaves.
 *
 * The drafter has been told the text by `begin`.
 *
 * @param logits of the token before the first new one
 * @param start text position of the first new token
 */
export function speculate(
  model: Transformer,
  cache: TruncatableCache,
  logits: Float32Array,
  start: number,
  count: number,
  stop: ReadonlySet<number>,
  options: SpeculateOptions,
): Speculated {
  const steps = speculateSteps(model, cache, logits, start, count, stop, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** `speculate` round by round: yields what is written so far, which grows from round to round. */
export function* speculateSteps(
  model: Transformer,
  cache: TruncatableCache,
  logits: Float32Array,
  start: number,
  count: number,
  stop: ReadonlySet<number>,
  { drafter, draftTokens }: SpeculateOptions,
): Generator<Speculated, Speculated> {
  if (!(Number.isInteger(draftTokens) && draftTokens >= 0)) {
    throw new RangeError(`invalid draftTokens: ${draftTokens} (expected a whole number)`);
  }
  const tokens: number[] = [];
  const rounds: SpeculationRound[] = [];
  const first = argMax(logits);
  if (stop.has(first)) return { tokens, rounds };
  tokens.push(first);
  while (tokens.length < count) {
    const at = tokens.length;
    // The verifier adds one token of its own, so a longer draft could never be used.
    const wanted = Math.min(draftTokens, count - at - 1);
    const draft = wanted > 0 ? drafter.propose(tokens, wanted) : { tokens: [], modelCalls: 0 };
    const guesses = draft.tokens.slice(0, wanted);
    const position = start + at - 1;
    const fed = [tokens[at - 1]!, ...guesses];
    const step = model.forward({
      tokens: fed,
      positions: fed.map((_, i) => position + i),
      cache,
      logits: 'all',
    });
    const width = model.config.vocabularySize;
    const picks = fed.map((_, i) => argMax(step.logits.subarray(i * width, (i + 1) * width)));
    let accepted = 0;
    while (accepted < guesses.length && guesses[accepted] === picks[accepted]) accepted++;
    drafter.learn?.(picks, accepted);
    let stopped = false;
    for (let i = 0; i <= accepted && !stopped; i++) {
      stopped = stop.has(picks[i]!);
      if (!stopped) tokens.push(picks[i]!);
    }
    const emitted = tokens.length - at;
    cache.truncate(position + 1 + Math.min(accepted, emitted));
    rounds.push({
      at,
      drafted: guesses.length,
      accepted,
      emitted,
      drafterCalls: draft.modelCalls,
    });
    if (stopped) break;
    yield { tokens, rounds };
  }
  return { tokens, rounds };
}
