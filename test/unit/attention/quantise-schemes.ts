import fc from 'fast-check';
import type { Granularity, QuantisationScheme } from '../../../lib/attention/quantise/types';
import { createRandom } from '../../../lib/random/random';

export const shapes = fc.record({
  heads: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 1, max: 21 }),
  columns: fc.integer({ min: 1, max: 6 }).map((n) => 4 * n),
});

export const granularities: fc.Arbitrary<Granularity> = fc.oneof(
  fc.constant({ type: 'token' } as const),
  fc.integer({ min: 1, max: 30 }).map((groupTokens) => ({ type: 'channel', groupTokens }) as const),
  fc.constantFrom(1, 2, 4).map((groupChannels) => ({ type: 'grouped', groupChannels }) as const),
  fc
    .integer({ min: 1, max: 30 })
    .map((groupTokens) => ({ type: 'rope-pair', groupTokens }) as const),
);

export const schemes: fc.Arbitrary<QuantisationScheme> = fc.record({
  bits: fc.constantFrom(2, 4, 8),
  mode: fc.constantFrom('symmetric', 'asymmetric'),
  granularity: granularities,
  scaleType: fc.constantFrom('f32', 'f16'),
});

export const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

export function normals(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => random.normal());
}

export const elements = (shape: { heads: number; rows: number; columns: number }) =>
  shape.heads * shape.rows * shape.columns;
