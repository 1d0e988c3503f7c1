import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortWeighted } from '../../../lib/stats/sort-weighted';

/** The same with a map. */
function plainly(values: readonly number[], weights: readonly number[]) {
  const sums = new Map<number, number>();
  values.forEach((value, i) => {
    sums.set(value, (sums.get(value) ?? 0) + (weights[i] as number));
  });
  const distinct = [...sums.keys()].sort((a, b) => a - b);
  return { values: distinct, weights: distinct.map((value) => sums.get(value)) };
}

describe('sorting with weights', () => {
  const value = fc.oneof(
    fc.double({ min: 1e-300, max: 1e300, noNaN: true }),
    // Close together, as the gaps between tokens are.
    fc.double({ min: 0.01, max: 0.0100001, noNaN: true }),
    fc.constantFrom(0.0125, 0.5, 5e-324),
  );
  const sample = (each: fc.Arbitrary<number>) =>
    fc.array(fc.tuple(each, fc.integer({ min: 1, max: 9 })), { maxLength: 400 });

  const agrees = (pairs: readonly (readonly [number, number])[]) => {
    const values = pairs.map(([first]) => first);
    const weights = pairs.map(([, second]) => second);
    const sorted = sortWeighted(Float64Array.from(values), Float64Array.from(weights));
    const plain = plainly(values, weights);
    expect([...sorted.values]).toEqual(plain.values);
    expect([...sorted.weights]).toEqual(plain.weights);
  };

  it('agrees with a map and a plain sort on positive values', () => {
    fc.assert(fc.property(sample(value), agrees), { numRuns: 300 });
  });

  it('and where some are negative', () => {
    fc.assert(fc.property(sample(fc.integer({ min: -50, max: 50 })), agrees), { numRuns: 100 });
  });

  it('in pieces of any size: one value, two far apart with many between', () => {
    agrees(Array.from({ length: 5000 }, () => [0.25, 1] as const));
    agrees([
      [1e-9, 1],
      [1e9, 1],
      ...Array.from({ length: 3000 }, (_, i) => [1 + ((i * 7919) % 3000) * 1e-12, 2] as const),
    ]);
  });
});
