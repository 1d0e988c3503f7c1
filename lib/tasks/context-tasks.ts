import { chunkQuestions, generateChunkFacts } from './generators/chunk-facts';
import { generateEditedFacts } from './generators/edited-facts';
import { generateFacts } from './generators/facts';
import { generateStreamFacts, streamStatements } from './generators/stream-facts';
import { generateUpdates } from './generators/updates';
import { generateVariableTracking } from './generators/variable-tracking';
import { choice, integer, share } from './options';
import { defineTask } from './task';
import { NAME_TOKENS, NUMBER_TOKENS } from './vocabulary';

const NUMBERS = NUMBER_TOKENS.length;

/** Questions of one shared context. */
const SHARED_QUESTIONS = 5;

export const variableTracking = defineTask({
  id: 'variable-tracking',
  name: 'variable tracking',
  tests: 'whether a chain of aliases is followed to its number, one lookup after another',
  source: 'Hsieh et al., 2024 (RULER, variable tracking), answered in steps',
  options: {
    hops: integer('statements of a chain', 4, 2, 6),
    chains: integer('chains in the context', 1, 1, 5),
    others: integer('plain facts beside the chains', 4, 0, 24),
    order: choice('where the statements of a chain stand', ['text', 'any'], 'text'),
  },
  metric: 'exact match',
  asking: 'apart',
  gate: 'two-hop',
  leastContextTokens: ({ hops, chains, others }) => 1 + 4 * (hops * chains + others),
  chance: ({ hops }) => (1 / (NAME_TOKENS.length - 1)) ** (hops - 1) / NUMBERS,
  generate: generateVariableTracking,
});

export const chunkFacts = defineTask({
  id: 'chunk-qa',
  name: 'questions over documents',
  tests: 'what holds across separately encodable documents: facts, aliases, conflicts',
  source: 'made for this workbench after Yao et al., 2024 (CacheBlend) and Yang et al., 2025 (APE)',
  options: {
    documents: integer('documents, of equal length', 4, 2, 8),
    facts: integer('plain facts of each document', 2, 1, 5),
    asks: choice('kinds of question', ['all', 'single-hop', 'two-hop', 'conflict'], 'all'),
    questions: integer('questions, kinds mixed', SHARED_QUESTIONS, 1, 12),
  },
  metric: 'exact match',
  asking: 'apart',
  gate: 'two-hop',
  // A statement of each alias and conflict may fall to the same document.
  leastContextTokens(values) {
    const { twoHop, conflict } = chunkQuestions(values);
    return values.documents * (2 + 4 * (values.facts + 2 * twoHop + 2 * conflict));
  },
  chance(values) {
    const { single, twoHop, conflict } = chunkQuestions(values);
    const right = (single + conflict + twoHop / (NAME_TOKENS.length - 1)) / NUMBERS;
    return right / (single + twoHop + conflict);
  },
  generate: generateChunkFacts,
});

export const multiTurn = defineTask({
  id: 'multi-turn',
  name: 'several questions, one context',
  tests: 'whether a compressed context answers questions it was not compressed for',
  source: 'Li et al., 2024 (SCBench, shared context), key-value retrieval',
  options: { facts: integer('facts in the context', 10, SHARED_QUESTIONS, 48) },
  metric: 'exact match',
  asking: 'apart',
  gate: 'multi-key',
  leastContextTokens: ({ facts }) => 1 + 4 * facts,
  chance: () => 1 / NUMBERS,
  generate: ({ contextTokens, facts }, random) =>
    generateFacts({ contextTokens, facts, questions: SHARED_QUESTIONS }, random),
});

export const latest = defineTask({
  id: 'latest',
  name: 'latest value',
  tests: 'whether the last of several statements about a name is the one that counts',
  source: 'made for this workbench: key-value pairs that are bound again',
  options: {
    subjects: integer('names', 4, 1, 16),
    updates: integer('statements of each', 2, 1, 6),
  },
  metric: 'exact match',
  asking: 'apart',
  gate: 'multi-key',
  leastContextTokens: ({ subjects, updates }) => 1 + 4 * subjects * updates,
  chance: () => 1 / NUMBERS,
  generate: generateUpdates,
});

export const streamFacts = defineTask({
  id: 'stream-qa',
  name: 'questions on a stream',
  tests: 'how things stand now, in a stream of frames that change them',
  source: 'made for this workbench after the streaming question answering of video caches',
  options: {
    subjects: integer('subjects with a state', 4, 1, 12),
    frames: integer('frames', 6, 1, 24),
    moves: integer('subjects a frame speaks of', 2, 1, 12),
    redundancy: share('probability that a frame repeats a state', 0.5),
  },
  metric: 'exact match',
  asking: 'apart',
  gate: 'multi-key',
  leastContextTokens: (values) =>
    1 + 4 * streamStatements({ ...values, redundancy: values.redundancy ?? 0 }),
  chance: () => 1 / NUMBERS,
  generate: (values, random) =>
    generateStreamFacts({ ...values, redundancy: values.redundancy ?? 0 }, random),
});

export const editedFacts = defineTask({
  id: 'edits',
  name: 'edited context',
  tests: 'what holds after a span of the context was inserted, deleted or replaced',
  source: 'made for this workbench after He et al., 2024 (positional integrity encoding)',
  options: {
    edit: choice('what is done to the context', ['insert', 'delete', 'replace'], 'replace'),
    others: integer('facts that are left alone', 6, 0, 32),
    depth: share('place of the edit, 0 start to 1 end; uniform unless given'),
  },
  metric: 'exact match',
  asking: 'apart',
  gate: 'multi-key',
  leastContextTokens: ({ others }) => 1 + 4 * (others + 2),
  chance: () => 1 / NUMBERS,
  generate: generateEditedFacts,
});
