import { generateMqar } from './generators/repeats';
import type { Stage } from './training-mix';

/** Pairs of the longest row the siblings are trained on. */
export const MOST_PAIRS = 32;
/** Tokens of that row, the questions and answers included. */
export const MOST_ROW_TOKENS = 2 + 4 * MOST_PAIRS;

function upTo(most: number, names: number, numbers: number): Stage {
  return {
    rowTokens: 2 + 4 * most,
    sample(random) {
      const pairs = random.integer(2, most);
      return generateMqar({ pairs, names, numbers, queries: 2 * most - pairs }, random);
    },
  };
}

/**
 * Curriculum of the recall-gap siblings: bare pairs asked again in another order (MQAR, Arora et
 * al., 2023), from few symbols to the full vocabulary and up to 32 pairs. Short rows stay in every
 * stage, so that what was learnt is not lost.
 */
export const SIBLING_STAGES: readonly Stage[] = [
  upTo(4, 6, 6),
  upTo(7, 12, 12),
  upTo(10, 32, 50),
  upTo(16, 64, 100),
  upTo(MOST_PAIRS, 64, 100),
];
