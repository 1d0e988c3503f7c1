import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  halfToNumber,
  halvesToNumbers,
  LARGEST_HALF,
  numberToHalf,
  packHalves,
  roundToHalves,
} from '../../../lib/attention/quantise/half';

describe('f16', () => {
  test('every finite f16 is its own neighbour in both directions', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const value = halfToNumber(bits);
      expect(numberToHalf(value, 'up')).toBe(bits);
      expect(numberToHalf(value, 'down')).toBe(bits);
    }
    expect(halfToNumber(0x7bff)).toBe(LARGEST_HALF);
    expect(halfToNumber(0x3555)).toBe(0.333251953125);
  });

  test('rounds up and down to neighbours', () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const up = halfToNumber(numberToHalf(value, 'up'));
        const down = halfToNumber(numberToHalf(value, 'down'));
        expect(down).toBeLessThanOrEqual(value);
        expect(up).toBeGreaterThanOrEqual(value);
        expect(up - down).toBeLessThanOrEqual(Math.max(2 ** -24, Math.abs(value) * 2 ** -10));
      }),
    );
    expect(() => numberToHalf(65_505, 'down')).toThrow(
      'invalid f16: 65505 (expected -65504..65504)',
    );
    expect(() => numberToHalf(Number.NaN, 'up')).toThrow('invalid f16: NaN');
  });

  test('two to a word, the first below', () => {
    expect([...packHalves(Float32Array.of(1, -2, 0.5))]).toEqual([0xc0003c00, 0x3800]);
  });
});

describe('rounding to the nearest f16', () => {
  const nearest = (value: number) => halvesToNumbers(roundToHalves(Float32Array.of(value)))[0]!;

  test('leaves every f16 as it is', () => {
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter(
      (bits) => (bits & 0x7c00) !== 0x7c00,
    );
    expect(roundToHalves(halvesToNumbers(all))).toEqual(all);
  });

  test('takes the nearer neighbour, and the even one of two', () => {
    const magnitudes = fc.oneof(
      fc.float({ min: -LARGEST_HALF, max: LARGEST_HALF, noNaN: true }),
      fc.float({ min: Math.fround(-(2 ** -13)), max: Math.fround(2 ** -13), noNaN: true }),
      // Halfway between two neighbours.
      fc
        .integer({ min: 0, max: 0x7bfe })
        .map((bits) => (halfToNumber(bits) + halfToNumber(bits + 1)) / 2),
    );
    fc.assert(
      fc.property(magnitudes, (value) => {
        const [down, up] = [numberToHalf(value, 'down'), numberToHalf(value, 'up')];
        const [below, above] = [value - halfToNumber(down), halfToNumber(up) - value];
        const even = (down & 1) === 0 ? down : up;
        const expected = below < above ? down : below > above ? up : even;
        expect(Math.abs(nearest(value) - halfToNumber(expected))).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps NaN and refuses what does not fit', () => {
    expect(nearest(Number.NaN)).toBeNaN();
    expect(() => nearest(65_505)).toThrow('invalid f16: 65505 at 0 (expected -65504..65504)');
    expect(() => nearest(Number.NEGATIVE_INFINITY)).toThrow('invalid f16: -Infinity at 0');
  });
});
