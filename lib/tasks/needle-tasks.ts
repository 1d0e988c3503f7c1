import { chooseCount } from './choose-count';
import { generateFacts } from './generators/facts';
import { generateMultiPasskey } from './generators/multi-passkey';
import { generateMultiValue } from './generators/multi-value';
import { generateNeedlesOnly, needlesFor } from './generators/needles-only';
import { generatePasskey } from './generators/passkey';
import { integer, share } from './options';
import { defineTask } from './task';
import { NUMBER_TOKENS } from './vocabulary';

const NUMBERS = NUMBER_TOKENS.length;
const RULER = 'Hsieh et al., 2024 (RULER)';

/** 1 over the ordered draws of `count` different numbers. */
function numbersInOrder(count: number): number {
  let draws = 1;
  for (let i = 0; i < count; i++) draws *= NUMBERS - i;
  return 1 / draws;
}

const depth = share('place of the asked fact, 0 start to 1 end; uniform unless given');

export const passkey = defineTask({
  id: 'passkey',
  name: 'passkey',
  tests: 'whether one key of a few tokens, hidden in filler, can be repeated',
  source: 'Mohtashami and Jaggi, 2023 (passkey retrieval)',
  options: { keyTokens: integer('two-digit numbers of the key', 3, 1, 8), depth },
  metric: 'exact match',
  asking: 'apart',
  gate: 'passkey',
  leastContextTokens: ({ keyTokens }) => 4 + keyTokens,
  chance: ({ keyTokens }) => numbersInOrder(keyTokens),
  generate: ({ contextTokens, keyTokens, depth: at }, random) =>
    generatePasskey(
      { contextTokens, keyTokens, ...(at === undefined ? {} : { depth: at }) },
      random,
    ),
});

export const multiPasskey = defineTask({
  id: 'multi-passkey',
  name: 'multi-passkey',
  tests: 'whether several keys of several tokens each survive, all asked for one after another',
  source: 'Xiao et al., 2024 (DuoAttention, multi-passkey retrieval)',
  options: {
    keys: integer('keys in the context', 4, 1, 10),
    keyTokens: integer('two-digit numbers of each key', 6, 1, 32),
  },
  metric: 'exact match',
  asking: 'in turn',
  gate: 'passkey',
  leastContextTokens: ({ keys, keyTokens }) => 1 + keys * (3 + keyTokens),
  chance: ({ keyTokens }) => numbersInOrder(keyTokens),
  generate: generateMultiPasskey,
});

export const niahSingle = defineTask({
  id: 'niah-single',
  name: 'needle, single',
  tests: 'whether one fact in filler can be looked up',
  source: `${RULER}, single NIAH`,
  options: { depth },
  metric: 'exact match',
  asking: 'apart',
  gate: 'passkey',
  leastContextTokens: () => 5,
  chance: () => 1 / NUMBERS,
  generate: ({ contextTokens, depth: at }, random) =>
    generateFacts(
      { contextTokens, facts: 1, questions: 1, ...(at === undefined ? {} : { depth: at }) },
      random,
    ),
});

export const niahMultiKey = defineTask({
  id: 'niah-multi-key-1',
  name: 'needle, several keys',
  tests: 'whether the right one of several facts is found: the others are distractors',
  source: `${RULER}, multi-key NIAH 1`,
  options: { keys: integer('facts in the context', 4, 2, 48), depth },
  metric: 'exact match',
  asking: 'apart',
  gate: 'multi-key',
  leastContextTokens: ({ keys }) => 1 + 4 * keys,
  chance: () => 1 / NUMBERS,
  generate: ({ contextTokens, keys, depth: at }, random) =>
    at === undefined
      ? generateFacts({ contextTokens, facts: keys, questions: Math.min(5, keys) }, random)
      : generateFacts({ contextTokens, facts: keys, questions: 1, depth: at }, random),
});

export const niahNeedlesOnly = defineTask({
  id: 'niah-multi-key-2',
  name: 'needle among needles',
  tests: 'whether a fact is found where the whole context is other facts of the same form',
  source: `${RULER}, multi-key NIAH 2`,
  options: { questions: integer('facts asked for', 5, 1, 16) },
  metric: 'exact match',
  asking: 'apart',
  gate: 'multi-key',
  leastContextTokens: () => 1 + 4 * 2,
  chance: (_, contextTokens) => numbersInOrder(needlesFor(contextTokens).valueTokens),
  generate: generateNeedlesOnly,
});

export const niahMultiValue = defineTask({
  id: 'niah-multi-value',
  name: 'needle, several values',
  tests: 'whether all values stated for one name are gathered',
  source: `${RULER}, multi-value NIAH`,
  options: {
    values: integer('values of the asked name', 3, 2, 8),
    others: integer('facts about other names', 6, 0, 32),
  },
  metric: 'exact match',
  asking: 'apart',
  gate: 'multi-key',
  leastContextTokens: ({ values, others }) => 1 + 4 * (values + others),
  chance: ({ values }) => 1 / chooseCount(NUMBERS, values),
  generate: generateMultiValue,
});

export const niahMultiQuery = defineTask({
  id: 'niah-multi-query',
  name: 'needle, several questions',
  tests: 'whether several facts survive together: all of them are asked for in turn',
  source: `${RULER}, multi-query NIAH`,
  options: { keys: integer('facts in the context, all asked for', 4, 2, 16) },
  metric: 'exact match',
  asking: 'in turn',
  gate: 'multi-key',
  leastContextTokens: ({ keys }) => 1 + 4 * keys,
  chance: () => 1 / NUMBERS,
  generate: ({ contextTokens, keys }, random) =>
    generateFacts({ contextTokens, facts: keys, kind: 'fact of several' }, random),
});
