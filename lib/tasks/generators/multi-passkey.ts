import type { Random } from '../../random/random';
import { drawDistinct, placeStatements } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';
import { question, statement } from './facts';

export interface MultiPasskeyOptions extends TaskSize {
  readonly keys: number;
  /** Two-digit numbers of each key. */
  readonly keyTokens: number;
}

/** Depths the keys may stand at: this many, evenly from the first to the last. */
const DEPTHS = 1000;
const FIRST_DEPTH = 0.05;
const LAST_DEPTH = 0.95;

/**
 * Several named keys of several tokens each, all asked for in the order of the text: the multi-passkey
 * retrieval of DuoAttention (Xiao et al., 2024), with names for ordinals.
 */
export function generateMultiPasskey(options: MultiPasskeyOptions, random: Random): TaskSample {
  const { contextTokens, keys, keyTokens } = options;
  const names = drawDistinct(NAME_TOKENS, keys, random);
  const steps = Array.from({ length: DEPTHS }, (_, step) => step);
  const depths = drawDistinct(steps, keys, random)
    .sort((a, b) => a - b)
    .map((step) => FIRST_DEPTH + ((LAST_DEPTH - FIRST_DEPTH) * step) / (DEPTHS - 1));
  const values = names.map(() => drawDistinct(NUMBER_TOKENS, keyTokens, random));
  const { context, spans } = placeStatements(
    names.map((name, i) => ({
      tokens: statement(name, values[i] as number[]),
      depth: depths[i] as number,
    })),
    contextTokens,
    random,
  );
  return {
    context,
    turns: names.map((name, i) => {
      const span = spans[i] as readonly [number, number];
      return {
        kind: 'passkey of several',
        question: question(name),
        answer: values[i] as number[],
        evidence: [span],
        depth: span[0] / context.length,
      };
    }),
  };
}
