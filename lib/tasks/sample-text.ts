import { createRandom } from '../random/random';
import { fillerTokens } from './filler';
import { generateFacts } from './generators/facts';
import { generatePasskey } from './generators/passkey';
import { generateCopy } from './generators/repeats';
import type { TaskSample } from './types';
import { ASK, BOS, END } from './vocabulary';

/** Texts to look at attention on; `lib/spec` names them in its own list. */
export type SampleText = 'facts' | 'passkey' | 'copy' | 'filler';

/** Tokens of one fact's question with its answer, `? name : value ;`. */
const FACT_QUESTION_TOKENS = 5;
const FACTS = 12;
const QUESTIONS = 8;

/** A sample with all its questions and answers, as one text. */
export function answeredText(sample: TaskSample): number[] {
  return [
    ...sample.context,
    ...sample.turns.flatMap(({ question, answer }) => [
      ...question,
      ...answer,
      ...(question[0] === ASK ? [END] : []),
    ]),
  ];
}

/**
 * A text of exactly `tokens` tokens: a context, and questions with their answers at its end.
 *
 * @throws RangeError below 100 tokens, which some of the texts need
 */
export function sampleText(kind: SampleText, tokens: number, seed: number): number[] {
  if (!(Number.isInteger(tokens) && tokens >= 100)) {
    throw new RangeError(`invalid tokens: ${tokens} (expected an integer from 100)`);
  }
  const random = createRandom(seed);
  switch (kind) {
    case 'facts': {
      const contextTokens = tokens - QUESTIONS * FACT_QUESTION_TOKENS;
      return answeredText(
        generateFacts({ contextTokens, facts: FACTS, questions: QUESTIONS }, random),
      );
    }
    case 'passkey':
      return answeredText(generatePasskey({ contextTokens: tokens - 7 }, random));
    case 'copy': {
      // The rest in front, so that the two halves end the text.
      const symbols = Math.min(80, (tokens - 2) >> 1);
      const [, ...copied] = answeredText(generateCopy({ symbols }, random));
      return [BOS, ...fillerTokens(tokens - 1 - copied.length, random), ...copied];
    }
    case 'filler':
      return [BOS, ...fillerTokens(tokens - 1, random)];
  }
}
