import type { Random } from '../../random/random';
import { drawDistinct, placeStatements, type Statement } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { IS, NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';
import { question, statement } from './facts';

export interface VariableTrackingOptions extends TaskSize {
  readonly chains: number;
  /** Statements of a chain, at least 2: lookups an answer takes. */
  readonly hops: number;
  /** Plain facts about other names. */
  readonly others: number;
  /** `text`: a chain's statements stand in the order they are followed, else anywhere. */
  readonly order: 'text' | 'any';
}

/**
 * Variable tracking of RULER (Hsieh et al., 2024): a name stands for another name, and so on to a
 * number. The answer is given in steps, `alias : alias : value`, one lookup each.
 */
export function generateVariableTracking(
  options: VariableTrackingOptions,
  random: Random,
): TaskSample {
  const { contextTokens, chains, hops, others, order } = options;
  const names = drawDistinct(NAME_TOKENS, chains * hops + others, random);
  const number = () => NUMBER_TOKENS[random.integer(0, NUMBER_TOKENS.length - 1)] as number;
  const statements: Statement[] = [];
  const answers: number[][] = [];
  for (let chain = 0; chain < chains; chain++) {
    const depths = Array.from({ length: hops }, () => random.uniform());
    if (order === 'text') depths.sort((a, b) => a - b);
    const answer: number[] = [];
    for (let hop = 0; hop < hops; hop++) {
      const at = chain * hops + hop;
      const isLast = hop === hops - 1;
      const target = isLast ? number() : (names[at + 1] as number);
      statements.push({
        tokens: statement(names[at] as number, [target]),
        depth: depths[hop] as number,
      });
      answer.push(target, ...(isLast ? [] : [IS]));
    }
    answers.push(answer);
  }
  for (const name of names.slice(chains * hops)) {
    statements.push({ tokens: statement(name, [number()]), depth: random.uniform() });
  }
  const { context, spans } = placeStatements(statements, contextTokens, random);
  return {
    context,
    turns: answers.map((answer, chain) => {
      const evidence = spans.slice(chain * hops, (chain + 1) * hops);
      return {
        kind: `${hops}-hop`,
        question: question(names[chain * hops] as number),
        answer,
        evidence,
        depth: (evidence[0]?.[0] as number) / context.length,
      };
    }),
  };
}
