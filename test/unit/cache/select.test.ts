import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, pyramidLine } from '../../../lib/cache/policy/allocate';
import {
  meanOverHeads,
  poolScores,
  reduceGroup,
  reduceRows,
} from '../../../lib/cache/policy/reduce';
import { forcedCounts, selectSlots } from '../../../lib/cache/policy/select';
import { shareOut } from '../../../lib/cache/policy/share-out';
import type { cachePolicy } from '../../../lib/spec/cache-policy';

type Selector = ReturnType<typeof cachePolicy.parse>['selector'];

const selector = (part: Partial<Selector> = {}): Selector => ({
  rule: { type: 'top-k' },
  sinkTokens: 0,
  recent: { type: 'tokens', tokens: 0 },
  ...part,
});
const select = (
  how: Selector,
  scores: number[],
  budget: number,
  positions = scores.map((_, i) => i),
) => [
  ...selectSlots(how, {
    scores: Float32Array.from(scores),
    positions: Int32Array.from(positions),
    budget,
  }),
];

describe('selectors', () => {
  it('keeps the best scores, earlier positions first among equals', () => {
    expect(select(selector(), [1, 5, 3, 5, 2], 3)).toEqual([1, 2, 3]);
    expect(select(selector(), [1, 1, 1, 1], 2)).toEqual([0, 1]);
    expect(select(selector(), [1, 1, 1, 1], 2, [3, 2, 1, 0])).toEqual([2, 3]);
  });

  it('keeps sinks and recents whatever their score, within the budget', () => {
    const forced = selector({ sinkTokens: 2, recent: { type: 'tokens', tokens: 1 } });
    expect(select(forced, [0, 0, 9, 8, 7, 0], 4)).toEqual([0, 1, 2, 5]);
    expect(select(forced, [0, 0, 9, 8, 7, 0], 2)).toEqual([0, 5]);
    expect(select(forced, [0, 0, 9, 8, 7, 0], 1)).toEqual([5]);
    const streaming = selector({ sinkTokens: 2, recent: { type: 'rest' } });
    expect(select(streaming, [0, 0, 9, 8, 7, 0], 4)).toEqual([0, 1, 4, 5]);
  });

  it('leaves no other token in the place of a sink that is gone', () => {
    const forced = selector({ sinkTokens: 2 });
    expect(select(forced, [0, 5, 4, 9], 2, [0, 3, 4, 5])).toEqual([0, 3]);
  });

  it('counts the tokens of a question as part of a recent window', () => {
    const { recent } = selector({ recent: { type: 'tokens', tokens: 4 } });
    expect(forcedCounts({ sinkTokens: 0, recent }, 10, 3)).toEqual({ sinks: 0, recents: 1 });
    expect(forcedCounts({ sinkTokens: 0, recent }, 10, 9)).toEqual({ sinks: 0, recents: 0 });
  });

  it('stops a top-p at its share of the scores, and a threshold at its score', () => {
    expect(select(selector({ rule: { type: 'top-p', share: 0.8 } }), [5, 3, 1, 1], 4)).toEqual([
      0, 1,
    ]);
    expect(select(selector({ rule: { type: 'threshold', least: 2 } }), [5, 3, 1, 2], 4)).toEqual([
      0, 1, 3,
    ]);
  });

  it('keeps everything at a top-p of 1, exactly the budget at a top-k, and the same set in any order', () => {
    const scores = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(scores, fc.nat(40), fc.nat(5), fc.nat(9), (own, budget, sinks, recents) => {
        expect(
          select(selector({ rule: { type: 'top-p', share: 1 } }), own, own.length),
        ).toHaveLength(own.length);
        const forced = selector({ sinkTokens: sinks, recent: { type: 'tokens', tokens: recents } });
        const kept = select(forced, own, budget);
        expect(kept).toHaveLength(Math.min(budget, own.length));
        const backwards = [...own].reverse();
        const positions = own.map((_, i) => own.length - 1 - i);
        const again = select(forced, backwards, budget, positions).map((slot) => positions[slot]!);
        expect(again.sort((a, b) => a - b)).toEqual(kept);
      }),
    );
  });

  it('refuses a score that is no number', () => {
    expect(() => select(selector(), [1, Number.NaN, 2], 2)).toThrow('invalid score: NaN at slot 1');
  });
});

describe('reducers', () => {
  // Two queries, one head, four slots; the first query does not see the last slot.
  const window = {
    rows: 2,
    group: 1,
    slots: 4,
    weights: Float32Array.of(0.5, 0.25, 0.25, 0, 0.1, 0.2, 0.3, 0.4),
    visible: Int32Array.of(2, 2, 2, 1),
  };
  const rows = (how: Parameters<typeof reduceRows>[1], perVisible = false) =>
    [...reduceRows(window, how, perVisible)[0]!].map((score) => Math.round(score * 1e4) / 1e4);

  it('sums, averages and takes the largest over the queries', () => {
    expect(rows({ type: 'sum' })).toEqual([0.6, 0.45, 0.55, 0.4]);
    expect(rows({ type: 'mean' })).toEqual([0.3, 0.225, 0.275, 0.2]);
    expect(rows({ type: 'max' })).toEqual([0.5, 0.25, 0.3, 0.4]);
    // Mean 0.3, variance 0.04: CAKE's score at gamma 200.
    expect(rows({ type: 'mean-variance', gamma: 200 })[0]).toBeCloseTo(8.3, 4);
  });

  it('divides by the queries of the window that see a slot, not by all of them', () => {
    expect(rows({ type: 'mean' }, true)).toEqual([0.3, 0.225, 0.275, 0.4]);
    expect(rows({ type: 'sum' }, true)).toEqual([0.3, 0.225, 0.275, 0.4]);
  });

  it('pools along positions up to the window', () => {
    const scores = Float32Array.of(0, 0, 6, 0, 0, 9);
    expect([...poolScores(scores, { type: 'avg', kernel: 3 }, 5)]).toEqual([0, 2, 2, 2, 0, 9]);
    expect([...poolScores(scores, { type: 'max', kernel: 3 }, 5)]).toEqual([0, 6, 6, 6, 0, 9]);
    expect([...poolScores(Float32Array.of(3, 3), { type: 'avg', kernel: 5 })]).toEqual([
      expect.closeTo(1.2),
      expect.closeTo(1.2),
    ]);
  });

  it('reduces over a group and over heads', () => {
    const group = [Float32Array.of(1, 4), Float32Array.of(3, 0)];
    expect([...reduceGroup(group, 'mean')]).toEqual([2, 2]);
    expect([...reduceGroup(group, 'max')]).toEqual([3, 4]);
    expect([...reduceGroup(group, 'sum')]).toEqual([4, 4]);
    const heads = meanOverHeads(group, [Int32Array.of(0, 1), Int32Array.of(1, 2)]);
    expect(heads.map((own) => [...own])).toEqual([
      [1, 3.5],
      [3.5, 0],
    ]);
  });
});

describe('allocators', () => {
  const flat = (layers: number, heads: number, slots: number) =>
    Array.from({ length: layers }, () =>
      Array.from({ length: heads }, () => new Float32Array(slots).fill(1)),
    );
  const counts = (layers: number, heads: number, slots: number) =>
    Array.from({ length: layers }, () => Array.from({ length: heads }, () => slots));

  it('makes a flatter pyramid of the same total where layer 0 has fewer slots than its end', () => {
    const lines = [0, 1, 2, 3].map((layer) => pyramidLine(75, 20, layer, 4, 99));
    expect(lines).toEqual([99, 83, 67, 51]);
    const counts = Array.from({ length: 4 }, () => [100]);
    const budgets = allocate(
      { type: 'pyramid', beta: 20 },
      { budget: 76, counts, scores: [], forced: 1, layers: 4 },
    );
    expect(budgets).toEqual([[100], [84], [68], [52]]);
  });

  it('makes a pyramid of the total, even where its end is below the window', () => {
    expect([0, 1, 2, 3].map((layer) => pyramidLine(20, 20, layer, 4))).toEqual([
      39,
      expect.closeTo(26.333, 2),
      expect.closeTo(13.667, 2),
      1,
    ]);
    const budgets = allocate(
      { type: 'pyramid', beta: 20 },
      { budget: 28, forced: 8, layers: 4, counts: counts(4, 2, 100), scores: flat(4, 2, 100) },
    );
    expect(budgets).toEqual([
      [47, 47],
      [34, 34],
      [22, 22],
      [9, 9],
    ]);
  });

  it('splits a layer by the scores of all its heads, above a floor', () => {
    const scores = [
      [
        Float32Array.of(9, 8, 7, 6, 5, 4),
        Float32Array.of(1, 1, 1, 1, 1, 1),
        Float32Array.of(3, 2, 1, 0, 0, 0),
      ],
    ];
    const budgets = allocate(
      { type: 'ada', floor: 0.5 },
      { budget: 3, forced: 0, layers: 1, counts: [[6, 6, 6]], scores },
    );
    expect(budgets).toEqual([[6, 1, 2]]);
  });

  it('gives whole contexts to the heads of the highest gates', () => {
    const budgets = allocate(
      { type: 'classes', otherTokens: 4 },
      {
        budget: 10,
        forced: 0,
        layers: 2,
        counts: counts(2, 2, 20),
        scores: flat(2, 2, 20),
        gates: [
          [0.1, 0.9],
          [0.5, 0.2],
        ],
      },
    );
    // 40 slots: 20 for the highest gate, 4 for each other, and 8 left over for those.
    expect(budgets).toEqual([
      [6, 20],
      [7, 7],
    ]);
  });

  it('follows CAKE’s preference, clipped to what a layer holds', () => {
    const budgets = allocate(
      { type: 'entropy-variance', tau1: 1, tau2: 2 },
      {
        budget: 12,
        forced: 2,
        layers: 3,
        counts: counts(3, 1, 18),
        scores: flat(3, 1, 18),
        preferences: [
          { entropy: 4, variance: 9 },
          { entropy: 1, variance: 4 },
          { entropy: 1, variance: 1 },
        ],
      },
    );
    // Weights 12, 2 and 1 of 30 slots: 24 is clipped to 16, and 14 are shared out 2 : 1.
    expect(budgets).toEqual([[18], [11], [7]]);
  });

  it('shares out the whole total within the caps', () => {
    const weights = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 40 })),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(weights, fc.nat(300), (parts, extra) => {
        const total = parts.length + extra;
        const caps = parts.map(([, cap]) => cap);
        const shares = shareOut(
          parts.map(([weight]) => weight),
          total,
          caps,
        );
        const most = caps.reduce((sum, cap) => sum + cap, 0);
        expect(shares.reduce((sum, own) => sum + own, 0)).toBe(Math.min(total, most));
        shares.forEach((own, i) => {
          expect(own).toBeGreaterThanOrEqual(1);
          expect(own).toBeLessThanOrEqual(caps[i]!);
        });
      }),
      // All of the weight on one share, and too little left for the other's least.
      {
        examples: [
          [
            [
              [0, 1],
              [1, 5],
            ],
            3,
          ],
        ],
      },
    );
  });
});
