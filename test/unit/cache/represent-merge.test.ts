import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  adjacentSets,
  gaussianGroups,
  uniformGroups,
} from '../../../lib/cache/represent/merge/adjacent-sets';
import {
  argsort,
  intoNearestKey,
  intoNearestPosition,
  keepBest,
  ranksOf,
} from '../../../lib/cache/represent/merge/into-kept';
import { mergeSlots, type SlotRows } from '../../../lib/cache/represent/merge/merge-slots';
import { attendRow } from '../../../lib/transformer/attend';
import { largestDifference, normalRows } from './rows';

function slotsOf(keys: number[][], values: number[][]): SlotRows {
  return {
    headSize: keys[0]!.length,
    keys: Float32Array.from(keys.flat()),
    values: Float32Array.from(values.flat()),
    positions: Int32Array.from(keys, (_, i) => i),
    multiplicity: new Float32Array(keys.length).fill(1),
  };
}

/** Output of one query, keys as they are (no RoPE: merging equal keys is exact where they meet the query equal). */
function attend(slots: SlotRows, query: Float32Array, withCount: boolean): Float32Array {
  const part = {
    count: slots.positions.length,
    keys: slots.keys,
    values: slots.values,
    positions: slots.positions,
    ...(withCount ? { logMultiplicity: slots.multiplicity.map(Math.log) } : {}),
  };
  return attendRow(query, 1, slots.headSize, 1e6, [part], false).output;
}

describe('merging slots', () => {
  test('of equal keys with their count is exact, whatever the values', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 }),
        (seed, kinds) => {
          const some = normalRows(4, 4, seed).data;
          const keys = kinds.map((kind) => [...some.subarray(kind * 4, kind * 4 + 4)]);
          const random = normalRows(kinds.length, 4, seed + 1).data;
          const values = kinds.map((_, i) => [...random.subarray(i * 4, i * 4 + 4)]);
          const slots = slotsOf(keys, values);
          const groups = [...new Set(kinds)].map((kind) => {
            const members = kinds.flatMap((k, i) => (k === kind ? [i] : []));
            return { pivot: members[0]!, members, weights: members.map(() => 1 / members.length) };
          });
          const query = normalRows(1, 4, seed + 2).data;
          const merged = mergeSlots(slots, groups);
          expect(
            largestDifference(attend(merged, query, true), attend(slots, query, true)),
          ).toBeLessThan(1e-5);
        },
      ),
    );
  });

  test('without the count is biased: three of four equal keys weigh one half instead of 3/4', () => {
    const slots = slotsOf([[0], [0], [0], [0]], [[1], [1], [1], [0]]);
    const merged = mergeSlots(slots, [
      { pivot: 0, members: [0, 1, 2], weights: [1 / 3, 1 / 3, 1 / 3] },
      { pivot: 3, members: [3], weights: [1] },
    ]);
    const query = Float32Array.of(1);
    expect(attend(slots, query, false)[0]).toBeCloseTo(0.75, 6);
    expect(attend(merged, query, true)[0]).toBeCloseTo(0.75, 6);
    expect(attend(merged, query, false)[0]).toBeCloseTo(0.5, 6);
  });

  test('keeps the pivot position and adds up multiplicities', () => {
    const slots = { ...slotsOf([[2], [4]], [[1], [3]]), multiplicity: Float32Array.of(2, 5) };
    const merged = mergeSlots(slots, [{ pivot: 1, members: [0, 1], weights: [0.25, 0.75] }]);
    expect([...merged.keys, ...merged.values]).toEqual([3.5, 2.5]);
    expect([merged.positions[0], merged.multiplicity[0]]).toEqual([1, 7]);
  });

  test('refuses a slot in two groups and weights that do not sum to 1', () => {
    const slots = slotsOf([[1], [2]], [[1], [2]]);
    const alone = { pivot: 0, members: [0], weights: [1] };
    expect(() => mergeSlots(slots, [alone, alone])).toThrow('slot 0 is in two groups');
    expect(() => mergeSlots(slots, [{ ...alone, weights: [0.5] }])).toThrow('sum 0.5');
  });
});

describe('adjacent sets (KVMerger)', () => {
  // Directions at 0, 10, 20, 90 and 95 degrees: cosines 0.985, 0.985, 0.342, 0.996.
  const degrees = [0, 10, 20, 90, 95];
  const keys = Float32Array.from(
    degrees.flatMap((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)]),
  );

  test('by threshold 0.9: {0, 1, 2} and {3, 4}; none across an exempt slot', () => {
    expect(adjacentSets(keys, 2, { threshold: 0.9 })).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
    const exempt = [false, true, false, false, false];
    expect(adjacentSets(keys, 2, { threshold: 0.9, exempt })).toEqual([[0], [1], [2], [3, 4]]);
  });

  test('by a number of slots: the most similar pair joins first', () => {
    expect(adjacentSets(keys, 2, { slots: 4 })).toEqual([[0], [1], [2], [3, 4]]);
    expect(adjacentSets(keys, 2, { slots: 1 })).toEqual([[0, 1, 2, 3, 4]]);
    expect(() => adjacentSets(keys, 2, {})).toThrow('either threshold or slots');
  });

  test('are a partition in order, of the number asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.nat(40),
        fc.nat(1e6),
        (count, slots, seed) => {
          const sets = adjacentSets(normalRows(count, 4, seed).data, 4, { slots: slots + 1 });
          expect(sets.flat()).toEqual(Array.from({ length: count }, (_, i) => i));
          expect(sets.length).toBe(Math.min(count, slots + 1));
        },
      ),
    );
  });

  test('Gaussian weights by hand: pivot 0, distances 1 and 3, sigma 2', () => {
    const line = Float32Array.of(0, 1, 3);
    const group = gaussianGroups(line, 1, [[0, 1, 2]], [9, 1, 1])[0]!;
    const shares = [1, Math.exp(-1 / 8), Math.exp(-9 / 8)];
    const sum = shares.reduce((a, b) => a + b);
    expect(group.pivot).toBe(0);
    group.weights.forEach((weight, i) => {
      expect(weight).toBeCloseTo(shares[i]! / sum, 12);
    });
    expect(gaussianGroups(Float32Array.of(1, 1), 1, [[0, 1]], [0, 0])[0]!.weights).toEqual([
      0.5, 0.5,
    ]);
    expect(uniformGroups([[0, 1]], [0, 1])[0]).toEqual({
      pivot: 1,
      members: [0, 1],
      weights: [0.5, 0.5],
    });
  });
});

describe('merging into kept slots (LOOK-M, Elastic Cache)', () => {
  const keys = Float32Array.of(1, 0, 0, 1, 0.9, 0.1, 0.8, 0.2);
  const kept = [true, true, false, false];

  test('rules by hand: slots 2 and 3 join slot 0', () => {
    const weightsBy = (rule: 'averaged' | 'pivotal' | 'weighted') =>
      intoNearestKey(keys, 2, kept, rule)[0]!.weights;
    expect(intoNearestKey(keys, 2, kept, 'averaged').map(({ members }) => members)).toEqual([
      [0, 2, 3],
      [1],
    ]);
    expect(weightsBy('averaged')).toEqual([1 / 3, 1 / 3, 1 / 3]);
    // mean of {k, (k + a) / 2, (k + b) / 2} = 2/3 k + 1/6 a + 1/6 b
    weightsBy('pivotal').forEach((weight, i) => {
      expect(weight).toBeCloseTo([2 / 3, 1 / 6, 1 / 6][i]!, 12);
    });
    const cosines = [1, 0.9 / Math.hypot(0.9, 0.1), 0.8 / Math.hypot(0.8, 0.2)];
    const sum = cosines.reduce((a, b) => a + b);
    weightsBy('weighted').forEach((weight, i) => {
      expect(weight).toBeCloseTo(cosines[i]! / sum, 6);
    });
  });

  test('by position: the nearest kept, the earlier of two as near', () => {
    const groups = intoNearestPosition(Int32Array.of(0, 1, 2, 3, 9), [
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(groups.map(({ members }) => members)).toEqual([[0, 1], [2, 3], [4]]);
    expect(() => intoNearestPosition(Int32Array.of(0), [false])).toThrow('no slot to merge into');
  });

  test("Elastic Cache's trap: an argsort is not a rank", () => {
    // Scores 0.3, 0.1, 0.4, 0.2: to keep two means slots 0 and 2.
    const scores = [0.3, 0.1, 0.4, 0.2];
    const keptBy = (places: readonly number[]) => places.flatMap((p, i) => (p >= 2 ? [i] : []));
    expect(ranksOf(scores)).toEqual([2, 0, 3, 1]);
    expect(keptBy(ranksOf(scores))).toEqual([0, 2]);
    expect(keptBy(argsort(scores))).not.toEqual([0, 2]);
    expect(keepBest(scores, 2)).toEqual([true, false, true, false]);
  });

  test("LOOK-M's first four are forced without an infinite score", () => {
    const scores = [0, 0, 0, 0, 5, 4, 3];
    const forced = [true, true, true, true, false, false, false];
    expect(keepBest(scores, 5, forced)).toEqual([true, true, true, true, true, false, false]);
    // The budget is met where infinities added to a few slots would have filled it.
    expect(keepBest(scores, 2, forced).filter(Boolean).length).toBe(4);
  });
});
