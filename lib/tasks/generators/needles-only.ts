import type { Random } from '../../random/random';
import { drawDistinct, placeStatements } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';
import { question, statement } from './facts';

export interface NeedlesOnlyOptions extends TaskSize {
  /** Questions asked, each about another needle. */
  readonly questions: number;
}

/** Tokens of a statement besides its value. */
const FRAME_TOKENS = 3;

/** Needles and tokens of each value that fill a context: short values until the names run out. */
export function needlesFor(contextTokens: number): { needles: number; valueTokens: number } {
  const room = contextTokens - 1;
  const needed = Math.ceil(room / NAME_TOKENS.length) - FRAME_TOKENS;
  const valueTokens = Math.min(NUMBER_TOKENS.length, Math.max(1, needed));
  const needles = Math.min(NAME_TOKENS.length, Math.floor(room / (FRAME_TOKENS + valueTokens)));
  return { needles, valueTokens };
}

/**
 * Multi-key 2 of RULER (Hsieh et al., 2024): the haystack is made only of other needles. Filler is
 * what is left over when no further needle fits.
 */
export function generateNeedlesOnly(options: NeedlesOnlyOptions, random: Random): TaskSample {
  const { contextTokens, questions } = options;
  const { needles, valueTokens } = needlesFor(contextTokens);
  const names = drawDistinct(NAME_TOKENS, needles, random);
  const values = names.map(() => drawDistinct(NUMBER_TOKENS, valueTokens, random));
  // The filler that is left goes to the end: gaps between the needles would be gaps in the haystack.
  const { context, spans } = placeStatements(
    names.map((name, i) => ({ tokens: statement(name, values[i] as number[]), depth: 0 })),
    contextTokens,
    random,
  );
  const asked = drawDistinct(
    names.map((_, i) => i),
    Math.min(questions, needles),
    random,
  );
  return {
    context,
    turns: asked.map((i) => {
      const span = spans[i] as readonly [number, number];
      return {
        kind: 'fact among facts',
        question: question(names[i] as number),
        answer: values[i] as number[],
        evidence: [span],
        depth: span[0] / context.length,
      };
    }),
  };
}
