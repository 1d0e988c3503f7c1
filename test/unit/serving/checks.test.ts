import { describe, expect, test } from 'vitest';
import { breakEvenShare } from '../../../lib/serving/checks/category-aware-semantic-cache';
import { ROW_CHECKS } from '../../../lib/serving/checks/registry';
import { checkOf, runCheck } from '../../../lib/serving/checks/run-check';
import { isWithin } from '../../../lib/serving/checks/types';

function finish(check: string, seed = 1) {
  const steps = runCheck({ check, seed });
  const fractions: number[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { result: step.value, fractions };
    fractions.push(step.value.fraction);
  }
}

describe('checks of published methods', () => {
  test('have ids of their own, and say what they ask and by which rule', () => {
    const ids = ROW_CHECKS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { asks, rule, title } of ROW_CHECKS) {
      expect(asks).toMatch(/\?$/);
      expect(rule.length).toBeGreaterThan(80);
      expect(title).not.toBe('');
    }
  });

  test('an unknown one is named, with those there are', () => {
    expect(() => checkOf('warp-drive')).toThrow(
      /^unknown check: "warp-drive" \(expected one of .*category-aware-semantic-cache/,
    );
  });

  test('a figure is inside its band with the ends, and has no verdict without one', () => {
    const figure = { label: 'x', value: 2, unit: 'x' };
    expect(isWithin(figure)).toBeUndefined();
    expect(isWithin({ ...figure, expected: { low: 2 } })).toBe(true);
    expect(isWithin({ ...figure, expected: { high: 1.9 } })).toBe(false);
  });
});

describe('category-aware semantic cache', () => {
  test('a search pays from the share of hits that it costs', () => {
    expect(breakEvenShare({ searchSeconds: 0.03, fetchSeconds: 0 }, 0.15)).toBeCloseTo(0.2, 12);
    expect(breakEvenShare({ searchSeconds: 0.002, fetchSeconds: 0.005 }, 0.205)).toBeCloseTo(
      0.01,
      12,
    );
  });

  test('gives the same figures for the same seed, with progress that rises', () => {
    const { result, fractions } = finish('category-aware-semantic-cache');
    expect(fractions.toSorted((a, b) => a - b)).toEqual(fractions);
    const again = finish('category-aware-semantic-cache').result;
    expect(again.figures).toEqual(result.figures);
    expect(finish('category-aware-semantic-cache', 2).result.figures).not.toEqual(result.figures);
  });

  test('caching by category is never slower than no cache, and answers nothing out of date', () => {
    const { figures } = finish('category-aware-semantic-cache').result;
    const found = (label: string) => figures.find((each) => each.label === label)?.value;
    const byCategory = found('mean latency, by category, against no cache');
    expect(byCategory).toBeLessThan(1);
    expect(byCategory).toBeLessThan(
      found('mean latency, remote search for all, against no cache') ?? 0,
    );
    expect(found('answers out of date, one rule for all')).toBeGreaterThan(0);
    expect(found('answers out of date, by category')).toBe(0);
  });
});
