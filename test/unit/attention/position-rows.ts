import fc from 'fast-check';
import { expect } from 'vitest';
import { createRandom } from '../../../lib/random/random';

export const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

export function normals(length: number, seed: number): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length }, () => random.normal());
}

export function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const each = Math.abs(a[i]! - b[i]!);
    if (!(each <= most)) most = Number.isNaN(each) ? Number.POSITIVE_INFINITY : each;
  }
  return most;
}
