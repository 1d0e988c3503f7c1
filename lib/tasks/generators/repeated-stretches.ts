import type { Random } from '../../random/random';
import { fillerTokens } from '../filler';
import { drawDistinct } from '../place';
import type { TaskSample, Turn } from '../types';
import { ALL_FILLER_TOKENS, BAR, BOS, NAME_TOKENS, NUMBER_TOKENS } from '../vocabulary';

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
export function rounds(rowTokens: number, random: Random): TaskSample {
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
export function stretches(rowTokens: number, random: Random): TaskSample {
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

/**
 * Stretches of a sequence in which a symbol stands up to three times on average: what follows it
 * depends on the token before it too.
 */
export function fewSymbols(rowTokens: number, random: Random): TaskSample {
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

/** A sequence far into the row, and one or two symbols asked after a bar and the one before them. */
export function firstsAfterBar(rowTokens: number, random: Random): TaskSample {
  const sequence = drawDistinct([...NAME_TOKENS, ...NUMBER_TOKENS], random.integer(4, 64), random);
  const filler = fillerTokens(random.integer(0, rowTokens - sequence.length - 64), random);
  const context = [BOS, ...filler, ...sequence];
  const places = drawDistinct(
    [...sequence.keys()].slice(1),
    Math.min(12, sequence.length - 1),
    random,
  );
  // Copying starts at the first symbol, which stands behind filler.
  const asked = random.uniform() < 0.5 ? [1, ...places.filter((at) => at !== 1)] : places;
  return {
    context,
    turns: asked.map((at) => ({
      kind: 'first after bar',
      question: [BAR, sequence[at - 1] as number],
      answer: sequence.slice(at, at + random.integer(1, 2)),
      evidence: [],
      depth: 0,
    })),
  };
}
