import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pairedDifference, pairedRatio, studentT95 } from '../../../lib/stats/paired';
import { wilsonInterval } from '../../../lib/stats/wilson';

const outcomes = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 });

describe('the difference of paired shares', () => {
  test('holds the difference, mirrors, and stays within -1 and 1', () => {
    fc.assert(
      fc.property(outcomes, (pairs) => {
        const a = pairs.map(([first]) => first);
        const b = pairs.map(([, second]) => second);
        const { value, low, high } = pairedDifference(a, b);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        expect(low).toBeGreaterThanOrEqual(-1);
        expect(high).toBeLessThanOrEqual(1);
        const mirrored = pairedDifference(b, a);
        expect(mirrored.low).toBeCloseTo(-high, 12);
      }),
    );
  });

  test('by hand: both always right, 20 times', () => {
    const right = new Array<boolean>(20).fill(true);
    const reach = 1 - wilsonInterval(20, 20).low;
    const found = pairedDifference(right, right);
    expect(found.value).toBe(0);
    expect(found.high).toBeCloseTo(reach, 12);
    expect(found.low).toBeCloseTo(-reach, 12);
  });

  test('is narrower where the two go together than where they do not', () => {
    const a = Array.from({ length: 40 }, (_, i) => i < 20);
    const width = (b: readonly boolean[]) => {
      const { low, high } = pairedDifference(a, b);
      return high - low;
    };
    expect(width(a)).toBeLessThan(1e-9);
    expect(width(a.map((_, i) => i % 2 === 0))).toBeGreaterThan(0.2);
  });

  test('refuses trials that do not pair', () => {
    expect(() => pairedDifference([true], [])).toThrow('invalid trials: 1 and 0');
    expect(() => pairedRatio([], [])).toThrow('invalid trials: 0 and 0');
  });
});

describe('the ratio of paired means', () => {
  test('has no width where one is a multiple of the other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 9, noNaN: true }), { minLength: 2, maxLength: 20 }),
        fc.double({ min: 0.1, max: 9, noNaN: true }),
        (b, factor) => {
          const { value, low, high } = pairedRatio(
            b.map((x) => factor * x),
            b,
          );
          expect(value).toBeCloseTo(factor, 9);
          expect(low).toBeCloseTo(factor, 6);
          expect(high).toBeCloseTo(factor, 6);
        },
      ),
    );
  });

  test('by hand: 1 and 3 over 2 and 2, with Student\u2019s t at one degree of freedom', () => {
    const { value, low, high } = pairedRatio([1, 3], [2, 2]);
    expect(value).toBe(1);
    // Relative deviations -1/2 and 1/2: a standard error of 1/2.
    expect(high).toBeCloseTo(Math.exp(studentT95(1) / 2), 9);
    expect(low * high).toBeCloseTo(1, 9);
  });

  test('is zero where nothing is lost, and open where the other loses nothing', () => {
    expect(pairedRatio([0, 0], [1, 2])).toEqual({ value: 0, low: 0, high: 0 });
    expect(pairedRatio([1], [2])).toEqual({ value: 0.5, low: 0, high: Number.POSITIVE_INFINITY });
  });
});

test.each([
  [4, 2.776],
  [9, 2.262],
  [19, 2.093],
  [39, 2.023],
])('the quantile of Student\u2019s t at %i degrees of freedom', (degrees, expected) => {
  expect(Math.abs(studentT95(degrees) / expected - 1)).toBeLessThan(0.003);
});
