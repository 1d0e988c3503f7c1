import { mergeDuplicates } from '../../cache/depth/temp-cache';
import { createRandom } from '../../random/random';
import { attendRow } from '../../transformer/attend';
import { about, arm, comparison, nameOf } from './make';
import { runArms } from './run-arms';
import type { CacheCheck, CheckFigure, Measured } from './types';

const HEAD_SIZE = 16;
const DISTINCT = 12;
const COPIES = 5;

/**
 * The lemma of TempCache on equal keys: attention over `DISTINCT` keys `COPIES` times each, with values
 * of their own, against one slot per key with the mean value.
 *
 * @returns largest absolute difference of the output with the log of the count added, and without
 */
export function mergedErrors(seed: number): { readonly counted: number; readonly plain: number } {
  const random = createRandom(seed);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const distinct = numbers(DISTINCT * HEAD_SIZE);
  const count = DISTINCT * COPIES;
  // Unequal numbers of copies: where all are merged alike the count cancels.
  const whose = Array.from({ length: count }, (_, i) =>
    i < DISTINCT ? i : random.integer(0, Math.ceil(DISTINCT / 3)),
  );
  const keys = new Float32Array(count * HEAD_SIZE);
  whose.forEach((key, i) => {
    keys.set(distinct.subarray(key * HEAD_SIZE, (key + 1) * HEAD_SIZE), i * HEAD_SIZE);
  });
  const values = numbers(count * HEAD_SIZE);
  const positions = Int32Array.from({ length: count }, (_, i) => i);
  const query = numbers(HEAD_SIZE);
  const output = (part: Parameters<typeof attendRow>[4][number]) =>
    attendRow(query, 1, HEAD_SIZE, count, [part], false).output;
  const exact = output({ count, keys, values, positions });
  const merged = mergeDuplicates({ rotated: keys, values, positions }, count, HEAD_SIZE, 1);
  const slots = { count: merged.positions.length, ...merged };
  const worst = (got: Float32Array) =>
    got.reduce((most, value, i) => Math.max(most, Math.abs(value - exact[i]!)), 0);
  return {
    counted: worst(output({ ...slots, logMultiplicity: merged.sizes.map(Math.log) })),
    plain: worst(output(slots)),
  };
}

const repeats = { task: 'stream-qa', options: { redundancy: 0.9 } } as const;

const tempcache: CacheCheck = {
  id: 'tempcache',
  title: 'tempcache: the lemma, and a stream that repeats',
  asks: 'Is a group of equal keys one slot with the log of its count, and does a stream shrink?',
  rule: 'The lemma is exact. The claim: memory stays flat where frames repeat, at the same answers; here RoPE turns a token’s repeats apart, so less is found.',
  evidence: 'abstract',
  *run(ground) {
    const { counted, plain } = mergedErrors(ground.seed);
    const own = arm('tempcache', 1, repeats);
    const full = arm('full', 1, repeats);
    const { measured, lines } = yield* runArms(ground, [
      [nameOf(own), () => own],
      [nameOf(full), () => full],
    ]);
    const [mine, its] = measured as [Measured, Measured];
    const figures: CheckFigure[] = [
      {
        label: 'largest error of merged equal keys, with the log of their count',
        value: counted,
        unit: '',
        expected: { high: 1e-5 },
        source: 'the lemma; numbers of 32 bits',
      },
      { label: 'the same without it', value: plain, unit: '' },
      {
        label: 'slots on a stream that repeats, of full',
        value: mine.slotRatio,
        unit: 'x',
        expected: { high: 1 },
        source: 'no token is held twice; the claim of a flat cache is for frames that repeat whole',
      },
      ...about(nameOf(own), mine),
      ...about(nameOf(full), its),
    ];
    return {
      figures,
      series: [],
      notes: [
        `${DISTINCT * COPIES} keys of which ${DISTINCT} are distinct, ${HEAD_SIZE} channels`,
        ...lines,
      ],
    };
  },
};

/** Policies that merge slots. */
export const MERGING_CHECKS: readonly CacheCheck[] = [
  comparison({
    id: 'kvmerger',
    asks: 'Is a mean of similar neighbours nearer to the full cache than dropping them?',
    rule: 'The paper’s claim: better than H2O at half of the cache.',
    evidence: 'abstract',
    arms: [arm('kvmerger', 0.5), arm('h2o', 0.5)],
    by: 'logit error',
  }),
  comparison({
    id: 'look-m',
    asks: 'Does a merge into the nearest kept key beat dropping, at a fifth of the cache?',
    rule: 'The paper’s claim: up to 80 % of the cache less; H2O keeps the same heavy hitters and drops.',
    evidence: 'abstract',
    arms: [arm('look-m', 0.2), arm('h2o', 0.2)],
    by: 'logit error',
  }),
  comparison({
    id: 'elastic-cache',
    asks: 'Does a mean around the kept tokens beat dropping, at a fifth of the cache?',
    rule: 'The paper’s claim: better than H2O and a window at a ratio of 0.2.',
    evidence: 'abstract',
    arms: [arm('elastic-cache', 0.2), arm('h2o', 0.2)],
    by: 'logit error',
  }),
  tempcache,
];
