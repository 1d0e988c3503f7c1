import type { Random } from '../../random/random';
import { drawDistinct, placeStatements, type Statement } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';
import { question, statement } from './facts';

export interface UpdatesOptions extends TaskSize {
  /** Names that hold a value. */
  readonly subjects: number;
  /** Times each is stated; the last statement counts. */
  readonly updates: number;
}

/** Facts that are stated again with another value: the latest counts. */
export function generateUpdates(options: UpdatesOptions, random: Random): TaskSample {
  const { contextTokens, subjects, updates } = options;
  const names = drawDistinct(NAME_TOKENS, subjects, random);
  const statements: Statement[] = [];
  const values = names.map((name) =>
    drawDistinct(NUMBER_TOKENS, updates, random).map((value) => {
      statements.push({ tokens: statement(name, [value]) });
      return value;
    }),
  );
  // Which of a name's statements comes last is decided by where the draw put them.
  const { context, spans } = placeStatements(statements, contextTokens, random);
  const turns = drawDistinct(
    names.map((_, i) => i),
    subjects,
    random,
  ).map((subject) => {
    let last = 0;
    for (let u = 1; u < updates; u++) {
      const start = (index: number) => (spans[subject * updates + index] as readonly number[])[0]!;
      if (start(u) > start(last)) last = u;
    }
    const span = spans[subject * updates + last] as readonly [number, number];
    return {
      kind: 'latest',
      question: question(names[subject] as number),
      answer: [values[subject]?.[last] as number],
      evidence: [span],
      depth: span[0] / context.length,
    };
  });
  return { context, turns };
}
