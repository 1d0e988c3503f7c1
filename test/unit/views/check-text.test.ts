import { describe, expect, test } from 'vitest';
import { type CheckFigure, isCertain } from '../../../lib/serving/checks/types';
import { foundText, verdictText } from '../../../lib/views/charts/check';

const figure = (more: Partial<CheckFigure>): CheckFigure => ({
  label: 'accuracy',
  value: 5,
  unit: '%',
  expected: { low: 0 },
  source: 'a claim',
  ...more,
});

describe('a figure with an interval', () => {
  test('shows both', () => {
    expect(foundText(figure({ interval: { low: -2.5, high: 12.5 } }))).toMatch(
      /^5 % \(.2\.50 to 12\.5\)$/,
    );
    expect(foundText(figure({}))).toBe('5 %');
  });

  test.each([
    [5, 1, 9, true, 'inside'],
    [5, -1, 9, false, 'inside, by less than its interval'],
    [-5, -9, -1, true, 'outside'],
    [-5, -9, 1, false, 'outside, by less than its interval'],
    [0, 0, 3, true, 'inside'],
  ])('%d in %d to %d: certain %s, %s', (value, low, high, certain, text) => {
    const found = figure({ value, interval: { low, high } });
    expect(isCertain(found)).toBe(certain);
    expect(verdictText(found)).toBe(text);
  });

  test('has no verdict without a band, and no doubt without an interval', () => {
    const { expected: _, ...bare } = figure({ interval: { low: 1, high: 2 } });
    expect(verdictText(bare)).toBe('');
    expect(isCertain(bare)).toBeUndefined();
    expect(isCertain(figure({}))).toBeUndefined();
    expect(verdictText(figure({}))).toBe('inside');
  });
});
