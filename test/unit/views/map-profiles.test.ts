import { describe, expect, it } from 'vitest';
import { cellStart } from '../../../lib/attention/map';
import {
  profileAt,
  profileTop,
  subtractProfiles,
  touchedCells,
  windowProfiles,
} from '../../../lib/views/map/profiles';
import { readingText } from '../../../lib/views/map/reading';
import { band, causal, dense, holes, probabilities, profilesOf, reduce, total } from './map-cases';

describe('profiles', () => {
  it('of a base of single elements are those of the window, whatever the mask', () => {
    for (const mask of [dense, causal, band, holes]) {
      const window = probabilities(48, 48, mask);
      const base = reduce(window, 48, 48);
      const exact = windowProfiles(window);
      const seen = profilesOf(base);
      expect(
        Math.max(...seen.keys.values.map((p, i) => Math.abs(p - (exact.keys.values[i] as number)))),
      ).toBeLessThan(1e-6);
      expect([...seen.queries.values]).toEqual([...exact.queries.values]);
    }
  });

  it.each([
    ['dense', dense, 1e-6],
    ['causal', causal, 1e-6],
  ] as const)('of %s cells give each key cell its exact mass', (_, mask, most) => {
    const window = probabilities(96, 96, mask);
    const exact = windowProfiles(window).keys.values;
    const { keys } = profilesOf(reduce(window, 24, 24));
    for (let c = 0; c < 24; c++) {
      const mean = total(exact.subarray(4 * c, 4 * c + 4)) / 4;
      expect(Math.abs((keys.values[c] as number) - mean)).toBeLessThan(most);
    }
  });

  it('never give more than the queries have, and nearly all of it, under any mask', () => {
    for (const mask of [dense, causal, band, holes]) {
      const base = reduce(probabilities(90, 90, mask), 20, 20);
      const { keys } = profilesOf(base);
      const counts = Array.from(
        { length: 20 },
        (_, c) => cellStart(c + 1, 90, 20) - cellStart(c, 90, 20),
      );
      const mass = total(keys.values.map((p, c) => p * (counts[c] as number)));
      expect(mass).toBeGreaterThan(0.97);
      expect(mass).toBeLessThan(1 + 1e-3);
    }
  });

  it('tell a query that sees nothing from one that gives nothing', () => {
    const window = probabilities(32, 32, (query, key) => query >= 16 && key < 8);
    const base = reduce(window, 8, 8);
    expect(total(profilesOf(base).keys.values) * 4).toBeCloseTo(0.5, 5);
    const { queries, keys } = profilesOf(base);
    expect([...queries.values.subarray(0, 4)]).toEqual(Array(4).fill(Number.NaN));
    expect(queries.values[4]).toBeGreaterThan(0);
    expect(profileTop(queries, 'linear')).toBeGreaterThan(0);
    const whole = windowProfiles(window);
    expect(whole.queries.values[3]).toBeNaN();
    // A difference to what does see is that what it sees; between two that see nothing there is none.
    const all = windowProfiles(probabilities(32, 32, dense));
    const { queries: minus } = subtractProfiles(all, whole);
    expect(minus.values[3]).toBe(all.queries.values[3]);
    expect(subtractProfiles(whole, whole).queries.values[3]).toBeNaN();
    const reading = { query: 3, key: 3, first: Number.NaN, second: undefined };
    expect(readingText(reading, ['', ''], whole)).toContain('and query 3 sees no key');
    expect(keys.values[0]).toBeGreaterThan(0);
  });

  it('are of the cells in view, placed where they are drawn', () => {
    const window = probabilities(64, 96, dense);
    const base = reduce(window, 32, 32);
    const view = { queryStart: 10.5, queryEnd: 31, keyStart: 30, keyEnd: 61 };
    expect(touchedCells(base, view)).toEqual({
      rowStart: 5,
      rowEnd: 16,
      columnStart: 10,
      columnEnd: 21,
    });
    const { keys, queries } = profilesOf(base, view);
    expect([keys.from, keys.step, queries.from, queries.step]).toEqual([30, 3, 10, 2]);
    let expected = 0;
    for (let q = 10; q < 32; q++)
      for (let k = 30; k < 33; k++)
        expected += (window.probabilities[q * 96 + k] as number) / 22 / 3;
    expect(profileAt(keys, 31)).toBeCloseTo(expected, 6);
    const row = window.probabilities.subarray(10 * 96 + 30, 10 * 96 + 63);
    const next = window.probabilities.subarray(11 * 96 + 30, 11 * 96 + 63);
    expect(profileAt(queries, 11)).toBeCloseTo(Math.max(...row, ...next), 6);
    expect(profileAt(keys, 29)).toBeUndefined();
  });

  it('of a difference subtract, and their own scale holds both signs', () => {
    const a = windowProfiles(probabilities(16, 16, dense, 1));
    const b = windowProfiles(probabilities(16, 16, causal, 2));
    const { keys, isSigned } = subtractProfiles(a, b);
    expect(isSigned).toBe(true);
    expect(total(keys.values)).toBeCloseTo(0, 5);
    expect(keys.values[0]).toBeLessThan(0);
    expect(keys.values[15]).toBeGreaterThan(0);
    expect(profileTop(keys, 'log')).toBe(1);
    expect(profileTop(keys, 'linear')).toBe(Math.max(...keys.values.map(Math.abs)));
  });
});
