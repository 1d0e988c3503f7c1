import fc from 'fast-check';
import { expect } from 'vitest';
import { STATE_RULES } from '../../../lib/attention/recurrent/cases';
import type { RecurrentShape } from '../../../lib/attention/recurrent/types';

export const shapes: fc.Arbitrary<RecurrentShape> = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  heads: fc.integer({ min: 1, max: 3 }),
  tokens: fc.integer({ min: 1, max: 37 }),
  keySize: fc.integer({ min: 1, max: 9 }),
  valueSize: fc.integer({ min: 1, max: 9 }),
});

export const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

export const rules = fc.constantFrom(...STATE_RULES.map(([, rule]) => rule));

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const each = Math.abs(a[i]! - b[i]!);
    if (!(each <= most)) most = Number.isNaN(each) ? Number.POSITIVE_INFINITY : each;
  }
  return most;
}
