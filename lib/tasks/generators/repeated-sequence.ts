import type { Random } from '../../random/random';
import { fillerTokens } from '../filler';
import { drawDistinct } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { BAR, BOS, NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';

const SYMBOLS: readonly number[] = [...NAME_TOKENS, ...NUMBER_TOKENS];
/** Different symbols there are to repeat. */
export const MOST_SYMBOLS = SYMBOLS.length;

export interface RepeatedSequenceOptions extends TaskSize {
  /** Symbols of the sequence, all different. */
  readonly symbols: number;
}

function sequenceAfterFiller(
  { contextTokens, symbols }: RepeatedSequenceOptions,
  random: Random,
): { sequence: readonly number[]; context: readonly number[]; start: number } {
  const start = contextTokens - symbols;
  if (start < 1) {
    throw new RangeError(
      `invalid contextTokens: ${contextTokens} (${symbols} symbols need ${1 + symbols})`,
    );
  }
  const sequence = drawDistinct(SYMBOLS, symbols, random);
  return { sequence, context: [BOS, ...fillerTokens(start - 1, random), ...sequence], start };
}

/**
 * Copying: a sequence at the end of the context, a bar and the first symbol; the rest must follow in
 * order, each from the model's own symbol before it.
 */
export function generateCopying(options: RepeatedSequenceOptions, random: Random): TaskSample {
  const { sequence, context, start } = sequenceAfterFiller(options, random);
  return {
    context,
    turns: [
      {
        kind: 'copy',
        question: [BAR, sequence[0] as number],
        answer: sequence.slice(1),
        evidence: [[start, context.length]],
        depth: start / context.length,
      },
    ],
  };
}

export interface InductionOptions extends RepeatedSequenceOptions {
  /** Places of the repeat that are scored, evenly spaced. */
  readonly offsets: number;
}

/**
 * Induction (Olsson et al., 2022): a random sequence is repeated; at evenly spaced offsets of the
 * repeat the next symbol is asked for. Questions hold the true symbols before them.
 */
export function generateInduction(options: InductionOptions, random: Random): TaskSample {
  const { sequence, context, start } = sequenceAfterFiller(options, random);
  const count = Math.min(options.offsets, sequence.length - 1);
  let fed = 0;
  return {
    context,
    turns: Array.from({ length: count }, (_, i) => {
      const offset = Math.floor(((i + 1) * (sequence.length - 1)) / count);
      const question = [...(i === 0 ? [BAR] : []), ...sequence.slice(fed, offset)];
      fed = offset;
      const at = start + offset;
      return {
        kind: 'induction',
        question,
        answer: [sequence[offset] as number],
        evidence: [[at - 1, at + 1] as const],
        depth: (at - 1) / context.length,
        offset,
      };
    }),
  };
}
