import type { Random } from '../../random/random';
import { drawDistinct } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { ALL_FILLER_TOKENS, ASK, BOS, IS, tokenOf } from '../vocabulary';

export interface CommonWordsOptions extends TaskSize {
  /** Words that stand out. */
  readonly common: number;
  /** How many times as often as the others they stand in the list. */
  readonly factor: number;
}

/**
 * Common words of RULER (Hsieh et al., 2024): a shuffled list in which a few words are frequent;
 * they are asked for, in the order of the vocabulary. An aggregation task: no single token holds
 * the answer.
 */
export function generateCommonWords(options: CommonWordsOptions, random: Random): TaskSample {
  const { contextTokens, common, factor } = options;
  const words = drawDistinct(ALL_FILLER_TOKENS, 24, random);
  const frequent = words.slice(0, common).sort((a, b) => a - b);
  const shares = words.map((_, i) => (i < common ? factor : 1));
  const total = shares.reduce((a, b) => a + b, 0);
  const list: number[] = [];
  words.forEach((word, i) => {
    const count = Math.floor(((contextTokens - 1) * (shares[i] as number)) / total);
    for (let n = 0; n < count; n++) list.push(word);
  });
  // The rounding's rest goes to the rare words, so that the frequent ones stay the frequent ones.
  for (let i = 0; list.length < contextTokens - 1; i++) {
    list.push(words[common + (i % (words.length - common))] as number);
  }
  const shuffled = drawDistinct(list, list.length, random);
  return {
    context: [BOS, ...shuffled],
    turns: [
      {
        kind: 'common words',
        question: [ASK, tokenOf('common'), IS],
        answer: frequent,
        evidence: [],
        depth: 0,
      },
    ],
  };
}
