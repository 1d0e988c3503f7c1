import { about, arm, comparison } from './make';
import { runArms } from './run-arms';
import type { CacheCheck, Measured } from './types';

const full: CacheCheck = {
  id: 'full',
  title: 'full: what there is to lose',
  asks: 'Does the model answer with nothing dropped, so that a policy has something to lose?',
  rule: 'A gate: several keys are told apart in at least 90 % of contexts, else no policy is judged by them.',
  evidence: 'arithmetic',
  *run(ground) {
    const { measured, lines } = yield* runArms(ground, [['full', () => arm('full', 1)]]);
    const [mine] = measured as [Measured];
    return {
      figures: [
        {
          label: 'accuracy, full',
          value: 100 * mine.accuracy,
          unit: '%',
          expected: { low: 90 },
          source: 'the gate that the shipped model had to pass, at 512 tokens',
        },
        {
          label: 'slots, of all tokens and heads',
          value: mine.slotRatio,
          unit: 'x',
          expected: { low: 1, high: 1 },
          source: 'nothing is dropped',
        },
        ...about('full', mine).slice(1),
      ],
      series: [],
      notes: lines,
    };
  },
};

/** What every policy is compared with. */
export const BASELINE_CHECKS: readonly CacheCheck[] = [
  full,
  comparison({
    id: 'random',
    asks: 'Is a needle mostly lost where a quarter of the slots are kept by chance?',
    rule: 'A null: a needle survives with the share’s chance in every head, so that the full cache is far ahead.',
    evidence: 'arithmetic',
    arms: [arm('full', 1), arm('random', 0.25)],
    by: 'accuracy',
    slack: -0.5,
  }),
];
