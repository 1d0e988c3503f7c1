import type { Random } from '../random/random';
import { entropyStream } from './entropy-stream';
import { generateCommonWords } from './generators/common-words';
import { generateFacts } from './generators/facts';
import { generateMultiValue } from './generators/multi-value';
import { generatePasskey } from './generators/passkey';
import { generateCopy, generateMqar } from './generators/repeats';
import { generateUpdates } from './generators/updates';
import {
  FIRSTS_AND_NEEDLES,
  REPEATS,
  REPEATS_AND_SETS,
  REPEATS_OF_FEW_SYMBOLS,
  type RowShares,
  repeatsBeside,
} from './repeat-mix';
import type { TaskSample } from './types';
import { ASK, END, PAD } from './vocabulary';

/** How a token counts in the training loss. */
export const LOSS_CLASS = { none: 0, text: 1, answer: 2 } as const;

export interface TrainingRow {
  readonly tokens: Uint8Array;
  readonly lossClass: Uint8Array;
}

/** Lays a sample out as one row: the context, then every question with its answer, then padding. */
export function layOut(sample: TaskSample, rowTokens: number): TrainingRow {
  const tokens = new Uint8Array(rowTokens).fill(PAD);
  const lossClass = new Uint8Array(rowTokens);
  let at = 0;
  const put = (list: readonly number[], loss: number) => {
    for (const token of list) {
      if (at === rowTokens) return;
      tokens[at] = token;
      lossClass[at++] = loss;
    }
  };
  put(sample.context, LOSS_CLASS.text);
  for (const turn of sample.turns) {
    put(turn.question, LOSS_CLASS.none);
    put(turn.answer, LOSS_CLASS.answer);
    if (turn.question[0] === ASK) put([END], LOSS_CLASS.answer);
  }
  return { tokens, lossClass };
}

/** A stage of the curriculum; recall breaks through at each before the next makes sense. */
export interface Stage {
  readonly rowTokens: number;
  sample(random: Random): TaskSample;
}

/** Bare pairs, then keys asked again: where recall breaks through first. */
function pairs(most: number, names: number, numbers: number): Stage {
  return {
    rowTokens: 2 + 4 * most,
    sample(random) {
      const count = random.integer(2, most);
      return generateMqar({ pairs: count, names, numbers, queries: 2 * most - count }, random);
    },
  };
}

/** Statements `name : value ;` and questions about all of them, and bare pairs. */
function recall(most: number, names: number, numbers: number): Stage {
  return {
    rowTokens: 1 + 9 * most,
    sample(random) {
      const facts = random.integer(2, most);
      return random.uniform() < 0.4
        ? generateMqar({ pairs: facts, names, numbers, queries: most }, random)
        : generateFacts({ contextTokens: 1 + 4 * facts, facts, names, numbers }, random);
    },
  };
}

/** Share of rows whose context is shorter than the row allows, so that every length is seen. */
const SHORT_SHARE = 0.25;

function mixture(rowTokens: number, maxFacts: number): Stage {
  /** The context that leaves room for `questionTokens`, or now and then a shorter one. */
  function contextFor(questionTokens: number, least: number, random: Random): number {
    const most = rowTokens - questionTokens;
    const low = Math.min(most, Math.max(least, rowTokens >> 2));
    return random.uniform() < SHORT_SHARE ? random.integer(low, most) : most;
  }
  function facts(random: Random): TaskSample {
    const chains = random.integer(0, Math.max(1, maxFacts >> 2));
    const hops = random.uniform() < 0.7 ? 2 : random.integer(2, 4);
    const count = random.integer(1, Math.max(1, maxFacts - chains));
    const stated = 1 + 4 * (count + chains * hops);
    const contextTokens = contextFor(5 * count + chains * (3 + 2 * hops), stated, random);
    return generateFacts({ contextTokens, facts: count, chains, hops }, random);
  }
  return {
    rowTokens,
    sample(random) {
      const draw = random.uniform();
      if (draw < 0.52) return facts(random);
      if (draw < 0.6) return generatePasskey({ contextTokens: contextFor(7, 8, random) }, random);
      if (draw < 0.68) {
        const count = random.integer(2, 4);
        const valueTokens = random.integer(2, maxFacts >= 8 ? 6 : 3);
        const contextTokens = contextFor(count * (4 + valueTokens), 1 + count * 9, random);
        return generateFacts({ contextTokens, facts: count, valueTokens }, random);
      }
      if (draw < 0.78) {
        const subjects = random.integer(2, Math.max(2, maxFacts >> 1));
        const updates = random.integer(2, 3);
        const contextTokens = contextFor(5 * subjects, 1 + 4 * subjects * updates, random);
        return generateUpdates({ contextTokens, subjects, updates }, random);
      }
      if (draw < 0.84) {
        const contextTokens = contextFor(7, 64, random);
        return generateCommonWords({ contextTokens, common: 3, factor: 5 }, random);
      }
      if (draw < 0.88) {
        const contextTokens = contextFor(8, 1 + 4 * (3 + (maxFacts >> 1)), random);
        return generateMultiValue({ contextTokens, values: 3, others: maxFacts >> 1 }, random);
      }
      if (draw < 0.92) return generateCopy({ symbols: Math.min((rowTokens >> 1) - 2, 80) }, random);
      if (draw < 0.96) return generateMqar({ pairs: Math.min((rowTokens >> 2) - 1, 48) }, random);
      return { context: entropyStream(rowTokens, random).tokens, turns: [] };
    },
  };
}

/** Many facts in a row without filler: the densest questions a context can hold. */
function dense(rowTokens: number, facts: number): Stage {
  return {
    rowTokens,
    sample(random) {
      const chains = random.integer(0, facts >> 2);
      return generateFacts(
        { contextTokens: 1 + 4 * (facts + chains), facts: facts - chains, chains },
        random,
      );
    },
  };
}

/** Sequences that are repeated beside what came before, so that nothing learnt is forgotten. */
function withRepeats(shares: RowShares, { rowTokens, sample }: Stage): Stage {
  return { rowTokens, sample: (random) => repeatsBeside(sample, shares, rowTokens, random) };
}

/** The curriculum of the recall model, in order. */
export const STAGES: readonly Stage[] = [
  pairs(4, 6, 6),
  pairs(7, 12, 12),
  pairs(10, 32, 50),
  recall(4, 64, 100),
  recall(8, 64, 100),
  recall(12, 64, 100),
  dense(144, 14),
  mixture(128, 6),
  mixture(256, 12),
  mixture(576, 16),
  withRepeats(REPEATS, mixture(256, 12)),
  withRepeats(REPEATS_AND_SETS, mixture(256, 12)),
  withRepeats(REPEATS_OF_FEW_SYMBOLS, mixture(256, 12)),
  withRepeats(REPEATS_OF_FEW_SYMBOLS, mixture(592, 16)),
  withRepeats(FIRSTS_AND_NEEDLES, mixture(592, 16)),
];
