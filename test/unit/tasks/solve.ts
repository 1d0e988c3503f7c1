import type { Turn } from '../../../lib/tasks/types';
import { ASK, END, IS, STOP, WORDS, wordOf } from '../../../lib/tasks/vocabulary';

const isNumber = (token: number) => /^\d\d$/.test(wordOf(token));
const FIRST_NAME = WORDS.indexOf('paris');
const isName = (token: number) => token >= FIRST_NAME && token < FIRST_NAME + 64;

/** All `key : value ... ;` of a text, in order, as a reader without a model sees them. */
export function statementsOf(context: readonly number[]): { key: number; value: number[] }[] {
  const found: { key: number; value: number[] }[] = [];
  for (let at = 0; at + 1 < context.length; at++) {
    if (context[at + 1] !== IS) continue;
    const end = context.indexOf(END, at);
    found.push({ key: context[at] as number, value: context.slice(at + 2, end) });
    at = end;
  }
  return found;
}

function latest(context: readonly number[], key: number): readonly number[] {
  const value = statementsOf(context).findLast((each) => each.key === key)?.value;
  if (value === undefined) throw new Error(`nothing is stated about ${wordOf(key)}`);
  return value;
}

/** Follows aliases to a number, writing each step. */
function follow(context: readonly number[], name: number): number[] {
  const value = latest(context, name);
  return value.length === 1 && isName(value[0] as number)
    ? [value[0] as number, IS, ...follow(context, value[0] as number)]
    : [...value];
}

/** The most frequent words of a list, in the order of the vocabulary. */
function frequent(context: readonly number[], count: number): number[] {
  const counts = new Map<number, number>();
  for (const token of context.slice(1)) counts.set(token, (counts.get(token) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([token]) => token)
    .sort((a, b) => a - b);
}

/** The answer to a question, from the context alone. */
export function solve(context: readonly number[], turn: Turn): number[] {
  const { question, answer } = turn;
  const last = question[question.length - 1] as number;
  if (question[0] === ASK) {
    const about = question.slice(1, -1).map(wordOf);
    if (last !== IS) throw new Error('a question ends with a colon');
    if (about.length === 1 && about[0] === 'common') return frequent(context, answer.length);
    const key = question[question.length - 2] as number;
    if (about[0] === 'common') {
      return statementsOf(context)
        .filter((each) => each.key === key)
        .flatMap(({ value }) => value)
        .sort((a, b) => a - b);
    }
    return follow(context, key);
  }
  // What followed this symbol before, and so on.
  const symbols = context.slice(context.findIndex((token) => isName(token) || isNumber(token)));
  const at = symbols.findIndex(
    (token, i) => token === last && (turn.kind !== 'pair' || i % 2 === 0),
  );
  if (at < 0 || symbols.includes(STOP)) throw new Error('no sequence to go on with');
  return symbols.slice(at + 1, at + 1 + answer.length);
}
