import fc from 'fast-check';
import { expect } from 'vitest';
import { type AttendOptions, attendPartial } from '../../../lib/attention/compose/attend-partial';
import type {
  HeadOperands,
  MergedAttention,
  PartialAttention,
} from '../../../lib/attention/compose/types';
import { createRandom, type Random } from '../../../lib/random/random';

export function normals(random: Random, length: number, spread = 1): Float64Array {
  return Float64Array.from({ length }, () => spread * random.normal());
}

export interface HeadSpec {
  readonly queries: number;
  readonly keys: number;
  readonly headSize: number;
  readonly valueSize: number;
  readonly seed: number;
  /** Spread of queries and keys: larger makes the softmax peakier. */
  readonly spread: number;
}

export const heads: fc.Arbitrary<HeadSpec> = fc.record({
  queries: fc.integer({ min: 1, max: 4 }),
  keys: fc.integer({ min: 1, max: 24 }),
  headSize: fc.integer({ min: 1, max: 8 }),
  valueSize: fc.integer({ min: 1, max: 6 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  spread: fc.constantFrom(0.3, 1, 3),
});

export function makeHead(spec: HeadSpec): HeadOperands {
  const random = createRandom(spec.seed);
  return {
    ...spec,
    query: normals(random, spec.queries * spec.headSize, spec.spread),
    key: normals(random, spec.keys * spec.headSize, spec.spread),
    value: normals(random, spec.keys * spec.valueSize),
  };
}

/** Softmax weights written out without any shift by a maximum, [queries][keys]. */
export function weightsOf(head: HeadOperands, temperature = 1): number[][] {
  return Array.from({ length: head.queries }, (_, q) => {
    const exps = Array.from({ length: head.keys }, (_, k) => {
      let dot = 0;
      for (let d = 0; d < head.headSize; d++) {
        dot += head.query[q * head.headSize + d]! * head.key[k * head.headSize + d]!;
      }
      return Math.exp(dot / Math.sqrt(head.headSize) / temperature);
    });
    const sum = exps.reduce((a, b) => a + b, 0);
    return exps.map((each) => each / sum);
  });
}

export function timesValue(weights: readonly number[][], head: HeadOperands): number[] {
  return weights.flatMap((row) =>
    Array.from({ length: head.valueSize }, (_, d) =>
      row.reduce((sum, w, k) => sum + w * head.value[k * head.valueSize + d]!, 0),
    ),
  );
}

/** Largest difference over the largest magnitude; equal infinities are equal. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let most = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] === expected[i]) {
      if (Number.isFinite(expected[i])) scale = Math.max(scale, Math.abs(expected[i]!));
      continue;
    }
    const each = Math.abs(actual[i]! - expected[i]!);
    if (!(each <= most)) most = Number.isNaN(each) ? Number.POSITIVE_INFINITY : each;
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return most === 0 ? 0 : most / Math.max(scale, 1e-3);
}

export function expectEqual(
  actual: PartialAttention,
  expected: PartialAttention,
  tolerance = 1e-12,
) {
  expect(relativeError(actual.output, expected.output)).toBeLessThan(tolerance);
  expect(relativeError(actual.lse, expected.lse)).toBeLessThan(tolerance);
}

export const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 24, maxLength: 24 });

/** Parts by label of a key; labels without keys give empty parts. */
export function splitKeys(
  head: HeadOperands,
  labelOf: readonly number[],
  options: AttendOptions = {},
): MergedAttention[] {
  return [0, 1, 2, 3].map((label) =>
    attendPartial(head, {
      ...options,
      isVisible: (q, k) => labelOf[k] === label && (options.isVisible?.(q, k) ?? true),
    }),
  );
}
