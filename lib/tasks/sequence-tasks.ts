import { chooseCount } from './choose-count';
import { generateCommonWords } from './generators/common-words';
import { generateKnownEntropy } from './generators/known-entropy';
import { generateQueriedPairs } from './generators/queried-pairs';
import { generateCopying, generateInduction, MOST_SYMBOLS } from './generators/repeated-sequence';
import { choice, integer } from './options';
import { defineTask } from './task';
import { NAME_TOKENS, NUMBER_TOKENS } from './vocabulary';

const NUMBERS = NUMBER_TOKENS.length;
/** Words that the lists of common words are made of. */
const LIST_WORDS = 24;

export const commonWords = defineTask({
  id: 'common-words',
  name: 'common words',
  tests: 'aggregation: which words are frequent, where no single token holds the answer',
  source: 'Hsieh et al., 2024 (RULER, common words)',
  options: {
    common: integer('frequent words', 3, 1, 8),
    factor: integer('times as often as the others', 5, 2, 10),
  },
  metric: 'exact match',
  asking: 'apart',
  // The list's rounding adds up to 2 to a rare word and takes up to 1 from a frequent one.
  leastContextTokens: ({ common, factor }) =>
    1 + Math.ceil((3 * (LIST_WORDS + common * (factor - 1))) / (factor - 1)),
  chance: ({ common }) => 1 / chooseCount(LIST_WORDS, common),
  generate: generateCommonWords,
});

export const mqar = defineTask({
  id: 'mqar',
  name: 'associative recall',
  tests: 'how many pairs of key and value the cache still binds, key after key',
  source: 'Arora et al., 2023 (Zoology, MQAR)',
  options: {
    pairs: integer('pairs at the end of the context', 24, 2, NAME_TOKENS.length),
    queries: integer('keys asked for, at most the pairs', 24, 1, NAME_TOKENS.length),
    gaps: choice('what stands between the keys asked for', ['none', 'power-law'], 'none'),
  },
  metric: 'exact match',
  asking: 'given answers',
  gate: 'induction',
  leastContextTokens: ({ pairs }) => 1 + 2 * pairs,
  chance: () => 1 / NUMBERS,
  generate: generateQueriedPairs,
});

export const copying = defineTask({
  id: 'copy',
  name: 'copying',
  tests: 'whether a sequence is repeated whole, each symbol from the one before',
  source: 'Jelassi et al., 2024 (Repeat after me)',
  options: { symbols: integer('symbols of the sequence', 32, 2, MOST_SYMBOLS) },
  metric: 'exact match',
  asking: 'apart',
  gate: 'induction',
  leastContextTokens: ({ symbols }) => 1 + symbols,
  chance: ({ symbols }) => (1 / MOST_SYMBOLS) ** (symbols - 1),
  generate: generateCopying,
});

export const induction = defineTask({
  id: 'induction',
  name: 'induction',
  tests: 'the next symbol of a repeated random sequence, by its offset',
  source: 'Olsson et al., 2022 (induction heads)',
  options: {
    symbols: integer('symbols of the sequence', 64, 2, MOST_SYMBOLS),
    offsets: integer('places of the repeat that are scored', 16, 1, MOST_SYMBOLS - 1),
  },
  metric: 'exact match',
  asking: 'given answers',
  gate: 'induction',
  leastContextTokens: ({ symbols }) => 1 + symbols,
  chance: () => 1 / MOST_SYMBOLS,
  generate: generateInduction,
});

export const knownEntropy = defineTask({
  id: 'known-entropy',
  name: 'known entropy',
  tests: 'how many nats a cache costs on a stream whose entropy is known exactly',
  source:
    'a second-order Markov language with copies at distances of law 1/d, made for this workbench',
  options: { scoredTokens: integer('tokens scored after the context', 64, 1, 256) },
  metric: 'loss above entropy',
  asking: 'apart',
  leastContextTokens: () => 2,
  chance: () => 0,
  generate: generateKnownEntropy,
});
