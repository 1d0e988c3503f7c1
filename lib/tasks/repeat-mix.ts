import type { Random } from '../random/random';
import { fillerTokens } from './filler';
import { generateCommonWords } from './generators/common-words';
import { generateMultiPasskey } from './generators/multi-passkey';
import { generateMultiValue } from './generators/multi-value';
import { generateNeedlesOnly } from './generators/needles-only';
import { generateQueriedPairs } from './generators/queried-pairs';
import { generateCopying } from './generators/repeated-sequence';
import { drawDistinct } from './place';
import type { TaskSample, Turn } from './types';
import { ALL_FILLER_TOKENS, BAR, BOS, NAME_TOKENS, NUMBER_TOKENS } from './vocabulary';

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

/** Shares of a row's kinds; what is left to 1 goes to the stage before. */
const SHARES = [
  [0.14, rounds],
  [0.09, stretches],
  [0.09, copying],
  [0.09, pairs],
  [0.05, passkeys],
  [0.04, needles],
  [0.04, values],
  [0.05, commonWords],
] as const;

/**
 * A sample of the last stages: sequences of every length repeated at every distance, so that copying
 * is matching (an induction head; Olsson et al., 2022) and not an offset, and keys, needles and values
 * that take it, beside `before`.
 */
export function repeatsBeside(
  before: (random: Random) => TaskSample,
  rowTokens: number,
  random: Random,
): TaskSample {
  let draw = random.uniform();
  for (const [share, generate] of SHARES) {
    if (draw < share) return generate(rowTokens, random);
    draw -= share;
  }
  return before(random);
}
