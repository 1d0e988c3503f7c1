import type { Random } from '../../random/random';
import { entropyStream } from '../entropy-stream';
import type { TaskSample, TaskSize } from '../types';

export interface KnownEntropyOptions extends TaskSize {
  /** Tokens after the context whose loss is measured. */
  readonly scoredTokens: number;
}

/**
 * A stream of exactly known entropy (`entropyStream`), cut in two: the context is compressed, the
 * tokens after it are scored against their true surprisal. The first of them is given.
 */
export function generateKnownEntropy(options: KnownEntropyOptions, random: Random): TaskSample {
  const { contextTokens, scoredTokens } = options;
  const { tokens, surprisalNats } = entropyStream(contextTokens + 1 + scoredTokens, random);
  return {
    context: tokens.slice(0, contextTokens),
    turns: [
      {
        kind: 'loss above the true surprisal',
        question: tokens.slice(contextTokens),
        answer: [],
        evidence: [],
        depth: 0,
        surprisalNats: Array.from(surprisalNats.subarray(contextTokens)),
      },
    ],
  };
}
