import type { Random } from '../../random/random';
import { drawDistinct, placeStatements } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { ASK, IS, NAME_TOKENS, NUMBER_TOKENS, tokenOf } from '../vocabulary';
import { question, statement } from './facts';

export interface MultiValueOptions extends TaskSize {
  /** Values stated for the one name. */
  readonly values: number;
  /** Facts about other names. */
  readonly others: number;
}

/** One name with several values, stated apart; `? common name :` asks for all, smallest number first. */
export function generateMultiValue(options: MultiValueOptions, random: Random): TaskSample {
  const names = drawDistinct(NAME_TOKENS, 1 + options.others, random);
  const numbers = drawDistinct(NUMBER_TOKENS, options.values + options.others, random);
  const name = names[0] as number;
  const answer = numbers.slice(0, options.values).sort((a, b) => a - b);
  const statements = [
    ...answer.map((value) => ({ tokens: statement(name, [value]) })),
    ...names
      .slice(1)
      .map((other, i) => ({ tokens: statement(other, [numbers[options.values + i] as number]) })),
  ];
  const { context, spans } = placeStatements(statements, options.contextTokens, random);
  const first = Math.min(...spans.slice(0, options.values).map(([start]) => start));
  return {
    context,
    turns: [
      {
        kind: 'multi-value',
        question: [ASK, tokenOf('common'), ...question(name).slice(1, 2), IS],
        answer,
        evidence: spans.slice(0, options.values),
        depth: first / context.length,
      },
    ],
  };
}
