import { createFullCache } from '../transformer/full-cache';
import { argMax, prefill } from '../transformer/generate';
import type { Transformer } from '../transformer/types';
import { speculateSteps } from './speculate';
import type { DrafterMaker } from './speculative-session';
import type { Drafter, DraftText, SpeculationRound } from './types';

/** A round with what was guessed in it. */
export interface GuessedRound extends SpeculationRound {
  readonly guesses: readonly number[];
}

/** Draft and verify beside greedy decoding of the same model on the same text. */
export interface Comparison {
  readonly tokens: readonly number[];
  readonly rounds: readonly GuessedRound[];
  readonly drafter: string;
  readonly greedy: readonly number[];
  /** Runs of the model that greedy decoding took. */
  readonly greedyCalls: number;
  readonly seconds: {
    readonly prefill: number;
    readonly greedy: number;
    /** The drafter's own reading of the text. */
    readonly prepare: number;
    readonly speculate: number;
  };
}

export interface CompareOptions {
  readonly text: DraftText;
  readonly count: number;
  readonly stop: ReadonlySet<number>;
  readonly drafting: DrafterMaker;
  readonly draftTokens: number;
  /** In milliseconds. */
  readonly now: () => number;
  readonly chunkTokens?: number;
}

export interface CompareStep {
  readonly share: number;
  /** What is there of the comparison, once draft and verify have begun to write. */
  readonly soFar?: () => Comparison;
}

/**
 * Writes a text greedily and by draft and verify, over the same cache, and times both; what comes
 * between two yields is no part of either.
 */
export function* compareWithGreedy(
  model: Transformer,
  { text, count, stop, drafting, draftTokens, now, chunkTokens = 64 }: CompareOptions,
): Generator<CompareStep, Comparison> {
  const seconds = { prefill: 0, greedy: 0, prepare: 0, speculate: 0 };
  const timed = <T>(what: keyof typeof seconds, work: () => T): T => {
    const started = now();
    const value = work();
    seconds[what] += (now() - started) / 1000;
    return value;
  };
  const read = [...text.context, ...text.question];
  const all = read.length + 2 * count;
  const cache = createFullCache(model.config);
  let logits: Float32Array = new Float32Array(0);
  for (let at = 0; at < read.length; at += chunkTokens) {
    const chunk = read.slice(at, at + chunkTokens);
    logits = timed('prefill', () => prefill(model, cache, chunk, at));
    yield { share: (at + chunk.length) / all };
  }
  const greedy: number[] = [];
  let greedyCalls = 0;
  let last = logits;
  for (;;) {
    const token = argMax(last);
    if (stop.has(token)) break;
    greedy.push(token);
    if (greedy.length === count) break;
    const position = read.length + greedy.length - 1;
    last = timed('greedy', () =>
      model.forward({ tokens: [token], positions: [position], cache }),
    ).logits;
    greedyCalls++;
    yield { share: (read.length + greedy.length) / all };
  }
  cache.truncate(read.length);
  const { drafter, guesses } = remembering(timed('prepare', () => drafting.open(model)));
  timed('prepare', () => drafter.begin(text));
  yield { share: (read.length + count) / all };
  const options = { drafter, draftTokens };
  const steps = speculateSteps(model, cache, logits, read.length, count, stop, options);
  for (;;) {
    const step = timed('speculate', () => steps.next());
    const written = step.value;
    const soFar = (): Comparison => ({
      tokens: [...written.tokens],
      rounds: written.rounds.map((round) => ({
        ...round,
        guesses: (guesses.get(round.at) ?? []).slice(0, round.drafted),
      })),
      drafter: drafter.label,
      greedy,
      greedyCalls,
      seconds: { ...seconds },
    });
    if (step.done) return soFar();
    yield { share: (read.length + count + written.tokens.length) / all, soFar };
  }
}

/** A drafter that keeps its guesses by the number of tokens they came after. */
function remembering(inner: Drafter): {
  readonly drafter: Drafter;
  readonly guesses: ReadonlyMap<number, readonly number[]>;
} {
  const guesses = new Map<number, readonly number[]>();
  const drafter: Drafter = {
    label: inner.label,
    begin: (text) => inner.begin(text),
    propose(generated, count) {
      const draft = inner.propose(generated, count);
      guesses.set(generated.length, draft.tokens);
      return draft;
    },
    learn: (picks, accepted) => inner.learn?.(picks, accepted),
  };
  return { drafter, guesses };
}
