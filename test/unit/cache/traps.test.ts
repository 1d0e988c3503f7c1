import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyRope } from '../../../lib/attention/position/rope';
import { selectSlots } from '../../../lib/cache/policy/select';
import { matrixOf } from '../../../lib/cache/represent/matrix';
import { gear } from '../../../lib/cache/represent/recipes/gear';
import { createSlotCache } from '../../../lib/cache/slots/slot-cache';
import { createRandom } from '../../../lib/random/random';
import { cachePolicy } from '../../../lib/spec/cache-policy';
import { attendRow } from '../../../lib/transformer/attend';
import { ropeOf } from '../../../lib/transformer/reference';
import { SMALL } from './random-model';

// What published code gets wrong, or gets right only by chance, in places of its own here.

describe('GEAR’s levels', () => {
  test.each([2, 4, 8] as const)('%i bits have 2^bits levels with outliers, not bits^2', (bits) => {
    const rows = 64;
    const columns = 8;
    const random = createRandom(bits);
    const data = Float32Array.from({ length: rows * columns }, () => random.uniform());
    const codecs = gear({
      bits,
      backbone: { type: 'vector' },
      outlierShare: 0.1,
      rank: 0,
      powerLoops: 1,
      bufferTokens: 0,
    });
    const decoded = codecs.keys(matrixOf(data, rows, columns)).decode();
    // Without its outliers a channel's range is below 1; half a step of 2^bits - 1 is the most lost.
    const bound = 0.5 / (2 ** bits - 1);
    const worst = decoded.reduce((most, x, i) => Math.max(most, Math.abs(x - data[i]!)), 0);
    expect(worst).toBeLessThan(1.02 * bound);
    // And no more levels than that: the bound is nearly reached.
    expect(worst).toBeGreaterThan(0.5 * bound);
  });
});

describe('forced recents', () => {
  const selectorOf = (recents: number) =>
    cachePolicy.parse({
      budget: { type: 'tokens', tokens: 6 },
      selector: { recent: { type: 'tokens', tokens: recents } },
    }).selector;

  test('stay where a score is so large that adding 1 to it changes nothing', () => {
    const scores = new Float32Array(20).fill(2 ** 25);
    scores.fill(0, 16);
    expect(Math.fround(2 ** 25 + 1)).toBe(2 ** 25);
    const positions = Int32Array.from(scores, (_, i) => i);
    const kept = selectSlots(selectorOf(4), { scores, positions, budget: 6 });
    expect([...kept]).toEqual([0, 1, 16, 17, 18, 19]);
  });

  test('take no more than their number, whatever the scores', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true }), { minLength: 7, maxLength: 40 }),
        fc.integer({ min: 0, max: 6 }),
        (values, recents) => {
          const scores = Float32Array.from(values);
          const positions = Int32Array.from(values, (_, i) => i);
          const kept = selectSlots(selectorOf(recents), { scores, positions, budget: 6 });
          expect(kept).toHaveLength(6);
          const last = values.length - recents;
          expect([...kept].filter((slot) => slot >= last)).toHaveLength(recents);
          const others = [...kept].filter((slot) => slot < last);
          const dropped = values.flatMap((value, i) =>
            i < last && !others.includes(i) ? [value] : [],
          );
          const worst = Math.min(...others.map((slot) => scores[slot]!));
          for (const value of dropped) expect(value).toBeLessThanOrEqual(worst);
        },
      ),
    );
  });
});

describe('the order of slots', () => {
  const { headSize } = SMALL;
  const rope = ropeOf(SMALL);

  test('does not change what a query gets of them', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 2, max: 24 }), (seed, count) => {
        const random = createRandom(seed);
        const numbers = (length: number) => Float32Array.from({ length }, () => random.normal());
        const keys = numbers(count * headSize);
        const values = numbers(count * headSize);
        const multiplicity = Float32Array.from({ length: count }, () => random.integer(1, 4));
        const query = Float32Array.from(applyRope(numbers(headSize), [count], rope));
        const order = Array.from({ length: count }, (_, i) => i);
        for (let i = count - 1; i > 0; i--) {
          const j = random.integer(0, i);
          [order[i], order[j]] = [order[j]!, order[i]!];
        }
        const output = (slots: readonly number[]) => {
          const cache = createSlotCache(SMALL, { storage: 'f32' });
          const rows = (data: Float32Array) =>
            Float32Array.from(
              slots.flatMap((slot) => [...data.subarray(slot * headSize, (slot + 1) * headSize)]),
            );
          cache.replace(0, 0, [
            {
              form: 'plain',
              headSize,
              keys: rows(keys),
              values: rows(values),
              positions: Int32Array.from(slots),
              multiplicity: Float32Array.from(slots, (slot) => multiplicity[slot]!),
            },
          ]);
          const parts = cache.parts(0, 0, { queries: query, position: count });
          return attendRow(query, 1, headSize, count, parts, false).output;
        };
        const inOrder = output(order.toSorted((a, b) => a - b));
        output(order).forEach((value, d) => {
          expect(value).toBeCloseTo(inOrder[d]!, 5);
        });
      }),
      { numRuns: 40 },
    );
  });
});
