import { createRandom } from '../../random/random';
import { recallGapParams, type SiblingName } from '../../spec/kinds/recall-gap';
import { pairedDifference } from '../../stats/paired';
import { wilsonInterval } from '../../stats/wilson';
import { recallGapSteps } from '../recall-gap';
import type { RecallCurve } from '../recall-gap-result';
import { about, arm, scaled } from './make';
import { inPart, runArms } from './run-arms';
import { findShared, twoSets } from './set-disjointness';
import type { CacheCheck, CheckFigure, Measured } from './types';

const SIBLINGS = [
  'linear',
  'gated-delta',
  'window-hybrid',
] as const satisfies readonly SiblingName[];
const CONTEXTS = 20;
/** Where each sibling has something to gain: the linear one forgets in rows as long as in training. */
const ASKED: readonly {
  readonly models: SiblingName[];
  readonly pairs: number;
  /** Of the contexts. */
  readonly share: number;
  readonly isTrained: boolean;
}[] = [
  { models: ['linear'], pairs: 24, share: 1, isTrained: true },
  { models: ['gated-delta', 'window-hybrid'], pairs: 64, share: 0.3, isTrained: false },
];
const ROOM = 8;
const SECOND_SIZE = 8;
const FIRST_SIZES = [8, 16, 32, 64];
const TRIALS = 200;
const THEOREM =
  'the paper’s theorem: read twice, room for the smaller set is enough whatever the order; shown on a recurrence made by hand';
const CLAIM = 'the paper’s claim: 11 points more on average over 16 recurrent models and 6 tasks';

/** Share of trials in which a recurrence finds the shared symbol, by the size of the first set. */
export function foundShares(reads: 1 | 2, seed: number): readonly number[] {
  const random = createRandom(seed).fork('set disjointness');
  return FIRST_SIZES.map((size) => {
    let found = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const sets = twoSets(size, SECOND_SIZE, random);
      if (findShared(sets, ROOM, reads) === sets.shared) found++;
    }
    return found / TRIALS;
  });
}

function setFigures(seed: number): {
  readonly figures: CheckFigure[];
  readonly twice: readonly number[];
  readonly once: readonly number[];
} {
  const [once, twice] = [foundShares(1, seed), foundShares(2, seed)];
  const last = once.at(-1) ?? 0;
  const { low, high } = wilsonInterval(last * TRIALS, TRIALS);
  const share = ROOM / (FIRST_SIZES.at(-1) ?? 1);
  return {
    once,
    twice,
    figures: [
      {
        label: `shared symbol found, read twice, least over first sets of ${FIRST_SIZES[0]} to ${FIRST_SIZES.at(-1)}`,
        value: 100 * Math.min(...twice),
        unit: '%',
        expected: { low: 100, high: 100 },
        source: THEOREM,
      },
      {
        label: `shared symbol found, read once, first set of ${FIRST_SIZES.at(-1)}`,
        value: 100 * last,
        interval: { low: 100 * low, high: 100 * high },
        unit: '%',
        expected: { low: 100 * share - 7, high: 100 * share + 7 },
        source:
          'arithmetic: as often as it is among those that there was room for; 3 standard errors',
      },
    ],
  };
}

/** The gain of a second reading, held against the claim where rows are as long as in training. */
function gainFigures(
  curves: readonly RecallCurve[],
  models: readonly SiblingName[],
  pairs: number,
  isTrained: boolean,
): CheckFigure[] {
  return models.flatMap((model): CheckFigure[] => {
    const pointOf = (reads: 1 | 2) =>
      curves.find((curve) => curve.model === model && curve.reads === reads)?.points[0];
    const [once, twice] = [pointOf(1), pointOf(2)];
    if (!once || !twice?.gain) return [];
    const { mean, low, high } = twice.gain;
    const where = `${model} sibling, ${pairs} pairs${isTrained ? '' : ', longer than in training'}`;
    return [
      {
        label: `gain of the second reading, ${where}`,
        value: 100 * mean,
        interval: { low: 100 * low, high: 100 * high },
        unit: '%',
        ...(isTrained ? { expected: { low: 0 }, source: CLAIM } : {}),
      },
      {
        label: `recalled once, ${where}`,
        value: 100 * once.accuracy.share,
        interval: { low: 100 * once.accuracy.low, high: 100 * once.accuracy.high },
        unit: '%',
      },
    ];
  });
}

const jrt: CacheCheck = {
  id: 'jrt',
  title: 'jrt: the prompt read twice',
  asks: 'Does a model of fixed memory recall more where the context stands twice in the prompt?',
  rule: 'A recurrent state must choose what to keep before it knows what will be asked; at the second reading it knows. Models that never read anything twice in training need not gain.',
  evidence: 'abstract',
  siblings: SIBLINGS,
  *run(ground) {
    const { seed, siblings, mostContexts } = ground;
    const sets = setFigures(seed);
    const contexts = Math.min(CONTEXTS, mostContexts ?? CONTEXTS);
    const gains: CheckFigure[] = [];
    for (const [at, { models, pairs, share, isTrained }] of ASKED.entries()) {
      const steps = recallGapSteps(
        recallGapParams.parse({
          models,
          pairs: [pairs],
          samples: Math.ceil(contexts * share),
          readTwice: true,
          seed,
        }),
        siblings,
      );
      let step = steps.next();
      while (!step.done) {
        yield { fraction: (at + step.value.share) / ASKED.length / 2, phase: 'siblings' };
        step = steps.next();
      }
      gains.push(...gainFigures(step.value.curves, models, pairs, isTrained));
    }
    const once = arm('snapkv', 0.25);
    const twice = arm('snapkv', 0.125, {
      readsTwice: true,
      variant: 'context twice, as many slots',
    });
    const arms = runArms(ground, [
      ['snapkv', () => once],
      ['snapkv, context twice', () => twice],
    ]);
    const { measured, lines } = yield* inPart(arms, 0.5, 1);
    const [single, double] = measured as [Measured, Measured];
    return {
      figures: [
        ...sets.figures,
        ...gains,
        {
          label: 'accuracy of an evicted cache of as many slots, twice less once',
          ...scaled(pairedDifference(double.right, single.right), 100),
          unit: '%',
        },
        ...about('snapkv', single).slice(0, 1),
        ...about('snapkv, context twice', double).slice(0, 1),
      ],
      series: [
        {
          title: `shared symbol found with room for ${ROOM}, second set of ${SECOND_SIZE}`,
          xLabel: 'symbols of the first set',
          yLabel: 'found, %',
          lines: [
            { name: 'read once', x: FIRST_SIZES, y: sets.once.map((share) => 100 * share) },
            { name: 'read twice', x: FIRST_SIZES, y: sets.twice.map((share) => 100 * share) },
          ],
        },
      ],
      notes: [
        `siblings: ${contexts} contexts for the linear one, 8 keys asked of each; all were trained on rows read once`,
        'the other two recall all that fits a row of training, so they are asked for more than that',
        ...lines,
      ],
    };
  },
};

export const REREADING_CHECKS: readonly CacheCheck[] = [jrt];
