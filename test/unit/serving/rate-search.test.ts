import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateSearch } from '../../../lib/serving/rate-search';

/** Searches a made-up strategy that holds up to `limit`. @returns the rates that were tried, too */
function search(limit: number, start: number, tolerance: number, told: readonly number[] = []) {
  const rates: number[] = [];
  const each = createRateSearch(start, tolerance);
  for (const rate of told) each.tell(rate, rate <= limit);
  for (let rate = each.next(); rate !== undefined; rate = each.next()) {
    rates.push(rate);
    each.tell(rate, rate <= limit);
  }
  return { ...each.found(), rates };
}

const rate = fc.double({ min: 0.5, max: 500, noNaN: true });

describe('the search for the highest rate', () => {
  it('brackets the limit of a monotone function within the tolerance', () => {
    fc.assert(
      fc.property(rate, rate, fc.constantFrom(0.005, 0.02, 0.3), (limit, start, tolerance) => {
        const found = search(limit, start, tolerance);
        if (limit < start / 2 ** 10) return;
        expect(found.ratePerSecond).toBeLessThanOrEqual(limit);
        expect(found.failsAtPerSecond).toBeGreaterThan(limit);
        expect(found.failsAtPerSecond - found.ratePerSecond).toBeLessThanOrEqual(
          tolerance * found.ratePerSecond,
        );
        expect(new Set(found.rates).size).toBe(found.rates.length);
        expect(found.rates.length).toBeLessThan(40);
      }),
    );
  });

  it('starts from what is known, and tries nothing outside of it', () => {
    const found = search(7.3, 1, 0.02, [1, 2, 4, 6, 8, 10]);
    expect(found.rates.every((tried) => tried > 6 && tried < 8)).toBe(true);
    expect(found.rates.length).toBeLessThanOrEqual(5);
  });

  it('ends where no rate holds, and where every rate does', () => {
    const none = search(0, 8, 0.02);
    expect(none).toMatchObject({ ratePerSecond: 0 });
    expect(Math.min(...none.rates)).toBeGreaterThan(8 / 2 ** 12);
    expect(search(Number.POSITIVE_INFINITY, 8, 0.02)).toMatchObject({
      failsAtPerSecond: Number.POSITIVE_INFINITY,
    });
  });

  it('stays below the lowest rate that fails where seeds blur the limit', () => {
    const each = createRateSearch(1, 0.02);
    for (const [tried, holds] of [
      [1, true],
      [2, false],
      [3, true],
      [4, false],
    ] as const)
      each.tell(tried, holds);
    expect(each.found()).toEqual({ ratePerSecond: 1, failsAtPerSecond: 2 });
    expect(each.next()).toBe(1.5);
  });

  it('refuses a tolerance or a start that never ends', () => {
    expect(() => createRateSearch(1, 0)).toThrow('invalid tolerance: 0');
    expect(() => createRateSearch(0, 0.1)).toThrow('invalid rate: 0 /s');
  });
});
