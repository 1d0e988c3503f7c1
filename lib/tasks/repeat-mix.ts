import type { Random } from '../random/random';
import { generateCommonWords } from './generators/common-words';
import { statement } from './generators/facts';
import { generateMultiPasskey } from './generators/multi-passkey';
import { generateMultiValue } from './generators/multi-value';
import { generateNeedlesOnly } from './generators/needles-only';
import { generateQueriedPairs } from './generators/queried-pairs';
import { generateCopying } from './generators/repeated-sequence';
import { fewSymbols, firstsAfterBar, rounds, stretches } from './generators/repeated-stretches';
import { generateMqar } from './generators/repeats';
import { generateUpdates } from './generators/updates';
import { drawDistinct, placeStatements } from './place';
import type { TaskSample } from './types';
import { ASK, IS, NAME_TOKENS, NUMBER_TOKENS, tokenOf } from './vocabulary';

function copying(rowTokens: number, random: Random): TaskSample {
  const symbols = random.integer(4, Math.min(160, (rowTokens >> 1) - 2));
  const contextTokens = random.integer(symbols + 1, rowTokens - symbols - 1);
  return generateCopying({ contextTokens, symbols }, random);
}

function pairs(rowTokens: number, random: Random): TaskSample {
  const count = random.integer(2, Math.min(NAME_TOKENS.length, (rowTokens >> 2) - 1));
  const contextTokens = random.integer(2 * count + 1, rowTokens - 2 * count - 1);
  const gaps = random.uniform() < 0.8 ? 'none' : 'power-law';
  return generateQueriedPairs({ contextTokens, pairs: count, queries: count, gaps }, random);
}

function passkeys(rowTokens: number, random: Random): TaskSample {
  const keys = random.integer(1, rowTokens > 400 ? 8 : 5);
  const keyTokens = random.integer(1, 10);
  const least = 1 + keys * (3 + keyTokens);
  const most = rowTokens - keys * (4 + keyTokens);
  return generateMultiPasskey(
    { contextTokens: random.integer(least, most), keys, keyTokens },
    random,
  );
}

function needles(rowTokens: number, random: Random): TaskSample {
  const contextTokens = random.integer(rowTokens >> 2, rowTokens - 54);
  return generateNeedlesOnly({ contextTokens, questions: 16 }, random);
}

function values(rowTokens: number, random: Random): TaskSample {
  const count = random.integer(2, 3);
  const others = random.integer(0, 6);
  const contextTokens = random.integer(1 + 4 * (count + others), rowTokens - 8);
  return generateMultiValue({ contextTokens, values: count, others }, random);
}

function commonWords(rowTokens: number, random: Random): TaskSample {
  const common = random.uniform() < 0.6 ? 3 : random.integer(1, 2);
  const contextTokens = random.integer(96, rowTokens - 7);
  return generateCommonWords({ contextTokens, common, factor: 5 }, random);
}

/** A count whose logarithm is uniform: as many rows of few as of many. */
function fewOrMany(least: number, most: number, random: Random): number {
  return Math.min(most, Math.floor(least * ((most + 1) / least) ** random.uniform()));
}

/** Few pairs asked again and again, or many asked once: a key is found by itself alone. */
function fewPairs(rowTokens: number, random: Random): TaskSample {
  const most = Math.min(NAME_TOKENS.length, (rowTokens >> 2) - 1);
  const count = fewOrMany(2, most, random);
  if (random.uniform() < 0.5) {
    const queries = Math.min(40, (rowTokens - 2 - 2 * count) >> 1);
    return generateMqar({ pairs: count, queries }, random);
  }
  const contextTokens = random.integer(2 * count + 1, rowTokens - 2 * count - 1);
  return generateQueriedPairs(
    { contextTokens, pairs: count, queries: count, gaps: 'none' },
    random,
  );
}

/** Several names with one to three values each, all asked for, smallest first. */
function valuesOfSeveral(rowTokens: number, random: Random): TaskSample {
  const names = drawDistinct(NAME_TOKENS, random.integer(1, 6), random);
  const asked = names.map((name) => {
    const answer = drawDistinct(NUMBER_TOKENS, random.integer(1, 3), random);
    return { name, answer: answer.sort((a, b) => a - b) };
  });
  const statements = asked.flatMap(({ name, answer }) =>
    answer.map((value) => ({ tokens: statement(name, [value]) })),
  );
  const contextTokens = random.integer(1 + 4 * statements.length, rowTokens - 8 * names.length);
  const { context } = placeStatements(statements, contextTokens, random);
  return {
    context,
    turns: asked.map(({ name, answer }) => ({
      kind: 'values of several',
      question: [ASK, tokenOf('common'), name, IS],
      answer,
      evidence: [],
      depth: 0,
    })),
  };
}

function anyCommonWords(rowTokens: number, random: Random): TaskSample {
  const common = random.uniform() < 0.5 ? 3 : random.integer(1, 2);
  const factor = random.integer(5, 10);
  return generateCommonWords(
    { contextTokens: random.integer(96, rowTokens - 7), common, factor },
    random,
  );
}

function updates(rowTokens: number, random: Random): TaskSample {
  const subjects = random.integer(2, 8);
  const times = random.integer(2, 3);
  const contextTokens = random.integer(1 + 4 * subjects * times, rowTokens - 5 * subjects);
  return generateUpdates({ contextTokens, subjects, updates: times }, random);
}

type Generate = (rowTokens: number, random: Random) => TaskSample;

/** Kinds of row beside those of the stage before, with their shares. */
export type RowShares = readonly (readonly [share: number, generate: Generate])[];

/** Until an induction head appears. */
export const REPEATS: RowShares = [
  [0.14, rounds],
  [0.09, stretches],
  [0.09, copying],
  [0.09, pairs],
  [0.05, passkeys],
  [0.04, needles],
  [0.04, values],
  [0.05, commonWords],
];

/** After that: more of what is found by one token alone, and of what must be gathered. */
export const REPEATS_AND_SETS: RowShares = [
  [0.05, rounds],
  [0.12, stretches],
  [0.07, copying],
  [0.14, fewPairs],
  [0.07, passkeys],
  [0.03, needles],
  [0.03, values],
  [0.06, valuesOfSeveral],
  [0.07, anyCommonWords],
  [0.04, updates],
];

/** At the end: values of several tokens, where one token is found in many of them. */
export const REPEATS_OF_FEW_SYMBOLS: RowShares = [
  [0.03, rounds],
  [0.08, fewSymbols],
  [0.06, stretches],
  [0.06, copying],
  [0.07, fewPairs],
  [0.09, passkeys],
  [0.05, needles],
  [0.03, values],
  [0.08, valuesOfSeveral],
  [0.09, anyCommonWords],
  [0.06, updates],
];

/** To finish: what long contexts still got wrong. */
export const FIRSTS_AND_NEEDLES: RowShares = [
  [0.25, firstsAfterBar],
  [0.08, copying],
  [0.12, needles],
  [0.1, passkeys],
  [0.06, fewSymbols],
  [0.04, fewPairs],
];

/**
 * A sample of the last stages: sequences of every length repeated at every distance, so that copying
 * is matching (an induction head; Olsson et al., 2022) and not an offset, and keys, needles and values
 * that take it. What the shares leave to 1 is `before`.
 */
export function repeatsBeside(
  before: (random: Random) => TaskSample,
  shares: RowShares,
  rowTokens: number,
  random: Random,
): TaskSample {
  let draw = random.uniform();
  for (const [share, generate] of shares) {
    if (draw < share) return generate(rowTokens, random);
    draw -= share;
  }
  return before(random);
}
