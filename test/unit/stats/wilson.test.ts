import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClusterTally, createKeyedTally, talliedShare } from '../../../lib/stats/tally';
import { wilsonInterval } from '../../../lib/stats/wilson';

describe('Wilson score interval', () => {
  // Newcombe (1998), Table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%i of %i', (right, total, low, high) => {
    const interval = wilsonInterval(right, total);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test('its ends solve the score equation', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (total, part) => {
          const right = Math.round(part * total);
          const { low, high } = wilsonInterval(right, total);
          const share = right / total;
          for (const end of [low, high]) {
            if (end <= 0 || end >= 1) continue;
            const z = Math.abs(share - end) / Math.sqrt((end * (1 - end)) / total);
            expect(z).toBeCloseTo(1.959964, 4);
          }
          expect(low).toBeLessThanOrEqual(share);
          expect(high).toBeGreaterThanOrEqual(share);
        },
      ),
    );
  });

  test('no answers say nothing, and impossible counts are refused', () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
    expect(() => wilsonInterval(3, 2)).toThrow('invalid successes: 3 of 2 (expected 0..2)');
    expect(() => wilsonInterval(-1, 2)).toThrow('invalid successes: -1 of 2');
  });
});

describe('tallies', () => {
  test('by key, in the order met', () => {
    const tally = createKeyedTally<string>();
    tally.add('b', true);
    tally.add('a', false);
    tally.add('b', false);
    expect(tally.entries()).toEqual([
      ['b', talliedShare({ right: 1, total: 2 })],
      ['a', talliedShare({ right: 0, total: 1 })],
    ]);
  });

  test('answers that always agree within a context count once', () => {
    const tally = createClusterTally();
    for (let context = 0; context < 100; context++) tally.add(context < 60 ? 5 : 0, 5);
    const { share, designEffect, low, high } = tally.share();
    expect(share).toBeCloseTo(0.6, 12);
    expect(designEffect).toBeCloseTo((5 * 100) / 99, 6);
    const once = wilsonInterval(0.6 * (500 / designEffect), 500 / designEffect);
    expect({ low, high }).toEqual(once);
  });

  test('one answer per context gives the plain interval', () => {
    const tally = createClusterTally();
    for (let context = 0; context < 40; context++) tally.add(context < 13 ? 1 : 0, 1);
    expect(tally.share()).toEqual({ ...talliedShare({ right: 13, total: 40 }), designEffect: 1 });
  });
});
