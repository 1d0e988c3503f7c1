import type { Random } from '../../random/random';
import { drawDistinct } from '../place';
import type { TaskSample } from '../types';
import { BAR, BOS, NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';

const SYMBOLS: readonly number[] = [...NAME_TOKENS, ...NUMBER_TOKENS];

export interface RepeatOptions {
  /** Tokens of the sequence that is repeated, all different. */
  readonly symbols: number;
}

/**
 * Copying: a sequence, a bar, and the sequence again. The second half is what an induction head
 * predicts (Olsson et al., 2022).
 */
export function generateCopy({ symbols }: RepeatOptions, random: Random): TaskSample {
  const sequence = drawDistinct(SYMBOLS, symbols, random);
  return {
    context: [BOS, ...sequence],
    turns: [
      {
        kind: 'copy',
        question: [BAR, sequence[0] as number],
        answer: sequence.slice(1),
        evidence: [[1, 1 + symbols]],
        depth: 0,
      },
    ],
  };
}

export interface MqarOptions {
  /** Key-value pairs. */
  readonly pairs: number;
  /** Questions; every key once when absent, else keys drawn anew for each question. */
  readonly queries?: number;
  readonly names?: number;
  readonly numbers?: number;
}

/** Multi-query associative recall (Arora et al., 2023): pairs, then keys in another order. */
export function generateMqar(options: MqarOptions, random: Random): TaskSample {
  const { pairs, queries } = options;
  const names = drawDistinct(
    NAME_TOKENS.slice(0, options.names ?? NAME_TOKENS.length),
    pairs,
    random,
  );
  const pool = NUMBER_TOKENS.slice(0, options.numbers ?? NUMBER_TOKENS.length);
  const values = names.map(() => pool[random.integer(0, pool.length - 1)] as number);
  const context = [BOS, ...names.flatMap((name, i) => [name, values[i] as number])];
  const all = names.map((_, i) => i);
  // Drawn anew, so that a key already asked says nothing about the next.
  const asked =
    queries === undefined
      ? drawDistinct(all, pairs, random)
      : Array.from({ length: queries }, () => random.integer(0, pairs - 1));
  return {
    context,
    turns: asked.map((index, turn) => ({
      kind: 'mqar',
      question: turn === 0 ? [BAR, names[index] as number] : [names[index] as number],
      answer: [values[index] as number],
      evidence: [[1 + 2 * index, 3 + 2 * index]],
      depth: (1 + 2 * index) / context.length,
    })),
  };
}
