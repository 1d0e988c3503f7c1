import type { Random } from '../../random/random';
import { drawDistinct, placeStatements, type Statement } from '../place';
import type { TaskSample, TaskSize, Turn } from '../types';
import { ASK, END, IS, NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';

export interface FactsOptions extends TaskSize {
  /** Statements `name : value ;` with a number for a value. */
  readonly facts: number;
  /** Chains `name : alias ;` ... `alias : value ;`. */
  readonly chains?: number;
  /** Lookups a chain needs, at least 2. */
  readonly hops?: number;
  /** Tokens of each value; the numbers of one context are all different when above 1. */
  readonly valueTokens?: number;
  /** Questions asked, facts and chains mixed; all of them when absent. */
  readonly questions?: number;
  /** Kind the turns of plain facts carry. */
  readonly kind?: string;
  /** Depth of the asked fact when there is one question. */
  readonly depth?: number;
  /** Names and numbers in use: fewer make an easier task (for the first stages of training). */
  readonly names?: number;
  readonly numbers?: number;
}

/** `name : value ;` */
export function statement(name: number, value: readonly number[]): number[] {
  return [name, IS, ...value, END];
}

/** `? name :` */
export function question(name: number): number[] {
  return [ASK, name, IS];
}

interface Asked {
  readonly kind: string;
  readonly name: number;
  readonly answer: readonly number[];
  /** Statements needed, as indices. */
  readonly needs: readonly number[];
}

/**
 * Facts among filler, and chains of them: the needle-in-a-haystack tasks of RULER (Hsieh et al.,
 * 2024) in one grammar. A chain is answered in steps, `alias : value`, as each step is one lookup;
 * its statements stand in random order.
 */
export function generateFacts(options: FactsOptions, random: Random): TaskSample {
  const { facts, chains = 0, hops = 2, valueTokens = 1, kind = 'fact' } = options;
  const names = drawDistinct(
    NAME_TOKENS.slice(0, options.names ?? NAME_TOKENS.length),
    facts + chains * hops,
    random,
  );
  const numberPool = NUMBER_TOKENS.slice(0, options.numbers ?? NUMBER_TOKENS.length);
  const values =
    valueTokens > 1
      ? drawDistinct(numberPool, (facts + chains) * valueTokens, random)
      : Array.from(
          { length: facts + chains },
          () => numberPool[random.integer(0, numberPool.length - 1)] as number,
        );
  const value = (i: number) => values.slice(i * valueTokens, (i + 1) * valueTokens);

  const statements: Statement[] = [];
  const asked: Asked[] = [];
  for (let i = 0; i < facts; i++) {
    const name = names[i] as number;
    statements.push({
      tokens: statement(name, value(i)),
      ...(i === 0 && options.depth !== undefined ? { depth: options.depth } : {}),
    });
    asked.push({ kind, name, answer: value(i), needs: [i] });
  }
  for (let c = 0; c < chains; c++) {
    const chain = names.slice(facts + c * hops, facts + (c + 1) * hops);
    const needs: number[] = [];
    const answer: number[] = [];
    for (let hop = 0; hop < hops; hop++) {
      const next = chain[hop + 1];
      const target = next === undefined ? value(facts + c) : [next];
      needs.push(statements.length);
      statements.push({ tokens: statement(chain[hop] as number, target) });
      answer.push(...target, ...(next === undefined ? [] : [IS]));
    }
    asked.push({ kind: `${hops}-hop`, name: chain[0] as number, answer, needs });
  }

  const { context, spans } = placeStatements(statements, options.contextTokens, random);
  const order =
    options.questions === 1 && options.depth !== undefined
      ? [0]
      : drawDistinct(
          asked.map((_, i) => i),
          Math.min(options.questions ?? asked.length, asked.length),
          random,
        );
  const turns: Turn[] = order.map((index) => {
    const { name, answer, needs, ...rest } = asked[index] as Asked;
    const evidence = needs.map((i) => spans[i] as readonly [number, number]);
    return {
      kind: rest.kind,
      question: question(name),
      answer,
      evidence,
      depth: (evidence[0]?.[0] ?? 0) / context.length,
    };
  });
  return { context, turns };
}
