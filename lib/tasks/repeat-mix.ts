import type { Random } from '../random/random';
import { fillerTokens } from './filler';
import { generateCommonWords } from './generators/common-words';
import { statement } from './generators/facts';
import { generateMultiPasskey } from './generators/multi-passkey';
import { generateMultiValue } from './generators/multi-value';
import { generateNeedlesOnly } from './generators/needles-only';
import { generateQueriedPairs } from './generators/queried-pairs';
import { generateCopying } from './generators/repeated-sequence';
import { generateMqar } from './generators/repeats';
import { generateUpdates } from './generators/updates';
import { drawDistinct, placeStatements } from './place';
import type { TaskSample, Turn } from './types';
import {
  ALL_FILLER_TOKENS,
  ASK,
  BAR,
  BOS,
  IS,
  NAME_TOKENS,
  NUMBER_TOKENS,
  tokenOf,
} from './vocabulary';

const SYMBOLS: readonly number[] = [...NAME_TOKENS, ...NUMBER_TOKENS];
const WORDS: readonly number[] = [...SYMBOLS, ...ALL_FILLER_TOKENS];

function symbolsOf(count: number, random: Random): number[] {
  return drawDistinct(random.uniform() < 0.5 ? WORDS : SYMBOLS, count, random);
}

/** Filler before a sequence, in half of the rows: no distance to the start of the row is the rule. */
function lead(most: number, random: Random): readonly number[] {
  return random.uniform() < 0.5 ? fillerTokens(random.integer(1, most), random) : [];
}

/** A random sequence again and again, with filler between the rounds in half of the rows. */
function rounds(rowTokens: number, random: Random): TaskSample {
  const sequence = symbolsOf(random.integer(4, Math.min(120, (rowTokens >> 1) - 2)), random);
  const [first, ...rest] = sequence as [number, ...number[]];
  const context = [BOS, ...lead(rowTokens >> 2, random), ...sequence];
  const hasGaps = random.uniform() < 0.5;
  const turns: Turn[] = [];
  for (let used = context.length; used < rowTokens; ) {
    const gap = hasGaps ? fillerTokens(random.integer(1, 24), random) : [];
    const isFirst = turns.length === 0;
    const bar = isFirst && random.uniform() < 0.5 ? [BAR] : [];
    // Where rounds follow each other the first symbol is known from the round before.
    const isKnown = !(hasGaps || isFirst);
    const question = isKnown ? [] : [...gap, ...bar, first];
    const answer = isKnown ? [first, ...rest] : rest;
    turns.push({ kind: 'rounds', question, answer, evidence: [], depth: 0 });
    used += question.length + answer.length;
  }
  return { context, turns };
}

/** A random sequence, and stretches of it from anywhere: only the token before tells the next. */
function stretches(rowTokens: number, random: Random): TaskSample {
  const sequence = symbolsOf(random.integer(8, Math.min(160, rowTokens >> 1)), random);
  const context = [BOS, ...lead(rowTokens >> 2, random), ...sequence];
  const turns: Turn[] = [];
  for (let used = context.length; used < rowTokens; ) {
    const start = random.integer(0, sequence.length - 2);
    const end = Math.min(sequence.length, start + random.integer(2, 24));
    const question = [...(random.uniform() < 0.3 ? [BAR] : []), sequence[start] as number];
    const answer = sequence.slice(start + 1, end);
    turns.push({ kind: 'stretch', question, answer, evidence: [], depth: 0 });
    used += question.length + answer.length;
  }
  return { context, turns };
}

/** Stretches of a sequence whose symbols stand in it up to three times: the token before the last one counts. */
function fewSymbols(rowTokens: number, random: Random): TaskSample {
  const alphabet = symbolsOf(random.integer(10, 40), random);
  const most = Math.min(3 * alphabet.length, rowTokens >> 1);
  const sequence = Array.from(
    { length: random.integer(alphabet.length, most) },
    () => alphabet[random.integer(0, alphabet.length - 1)] as number,
  );
  const context = [BOS, ...lead(rowTokens >> 2, random), ...sequence];
  const turns: Turn[] = [];
  for (let used = context.length; used < rowTokens; ) {
    const start = random.integer(0, sequence.length - 3);
    const end = Math.min(sequence.length, start + random.integer(4, 40));
    const question = [BAR, ...sequence.slice(start, start + 2)];
    const answer = sequence.slice(start + 2, end);
    turns.push({ kind: 'few symbols', question, answer, evidence: [], depth: 0 });
    used += question.length + answer.length;
  }
  return { context, turns };
}

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
