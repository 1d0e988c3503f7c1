import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  equivalentKvHeads,
  gqaBytesPerToken,
  mhaBytesPerToken,
  mlaBytesPerToken,
  mqaBytesPerToken,
} from '../../../lib/attention/compose/kv-bytes-per-token';
import {
  attendAbsorbed,
  attendExpanded,
  compressTokens,
  type LatentCache,
  type LatentShape,
  type LatentWeights,
} from '../../../lib/attention/compose/latent-attention';
import { mergePartials } from '../../../lib/attention/compose/merge-partials';
import { applyRope } from '../../../lib/attention/position/rope';
import { makeRope } from '../../../lib/attention/position/rope-frequencies';
import { createRandom } from '../../../lib/random/random';
import { expectEqual, normals, relativeError, timesValue, weightsOf } from './compose-operands';

describe('latent attention', () => {
  const shapes: fc.Arbitrary<LatentShape> = fc.record({
    modelSize: fc.integer({ min: 1, max: 9 }),
    rank: fc.integer({ min: 1, max: 6 }),
    ropeSize: fc.constantFrom(2, 4),
    heads: fc.integer({ min: 1, max: 3 }),
    headSize: fc.integer({ min: 1, max: 5 }),
    valueSize: fc.integer({ min: 1, max: 5 }),
  });

  function makeLatent(shape: LatentShape, tokens: number, queries: number, seed: number) {
    const random = createRandom(seed);
    const { modelSize, rank, ropeSize, heads: count, headSize, valueSize } = shape;
    const weights: LatentWeights = {
      shape,
      down: normals(random, modelSize * rank, 0.5),
      upKey: normals(random, rank * count * headSize),
      upValue: normals(random, rank * count * valueSize),
      ropeKey: normals(random, modelSize * ropeSize),
    };
    const hidden = normals(random, tokens * modelSize);
    const content = normals(random, count * queries * headSize);
    const rawRope = normals(random, count * queries * ropeSize);
    const rope = makeRope({ headSize: ropeSize, base: 10_000, pairing: 'interleaved' });
    return (offset: number) => {
      const positions = Array.from({ length: tokens }, (_, t) => offset + t);
      const queryPositions = Array.from(
        { length: count * queries },
        (_, i) => offset + tokens - queries + (i % queries),
      );
      return {
        weights,
        cache: compressTokens(hidden, positions, weights, rope),
        query: { queries, content, rope: applyRope(rawRope, queryPositions, rope) },
      };
    };
  }

  const sizes = [
    shapes,
    fc.integer({ min: 1, max: 10 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  ] as const;

  it('absorbed equals expanded, with and without a mask', () => {
    fc.assert(
      fc.property(...sizes, fc.boolean(), (shape, tokens, queries, seed, causal) => {
        const { weights, cache, query } = makeLatent(shape, tokens, queries, seed)(0);
        const isVisible = (q: number, k: number) => !causal || k <= tokens - queries + q;
        const expanded = attendExpanded(query, cache, weights, { isVisible });
        const absorbed = attendAbsorbed(query, cache, weights, { isVisible });
        expect(absorbed).toHaveLength(shape.heads);
        for (const [head, part] of expanded.entries()) expectEqual(absorbed[head]!, part, 1e-11);
      }),
      { numRuns: 200 },
    );
  });

  it('expanded equals keys and values multiplied out head by head', () => {
    fc.assert(
      fc.property(...sizes, (shape, tokens, queries, seed) => {
        const { weights, cache, query } = makeLatent(shape, tokens, queries, seed)(0);
        const { rank, ropeSize, heads: count, headSize, valueSize } = shape;
        const expanded = attendExpanded(query, cache, weights);
        const up = (matrix: ArrayLike<number>, t: number, head: number, size: number) =>
          Array.from({ length: size }, (_, d) => {
            let sum = 0;
            for (let r = 0; r < rank; r++) {
              sum += cache.latent[t * rank + r]! * matrix[r * count * size + head * size + d]!;
            }
            return sum;
          });
        for (let head = 0; head < count; head++) {
          const key = Array.from({ length: tokens }, (_, t) => [
            ...up(weights.upKey, t, head, headSize),
            ...cache.ropeKey.subarray(t * ropeSize, (t + 1) * ropeSize),
          ]).flat();
          const row = (q: number) => [
            ...query.content.slice((head * queries + q) * headSize).subarray(0, headSize),
            ...query.rope.slice((head * queries + q) * ropeSize).subarray(0, ropeSize),
          ];
          const operands = {
            queries,
            keys: tokens,
            headSize: headSize + ropeSize,
            valueSize,
            query: Array.from({ length: queries }, (_, q) => row(q)).flat(),
            key,
            value: Array.from({ length: tokens }, (_, t) =>
              up(weights.upValue, t, head, valueSize),
            ).flat(),
          };
          const expected = timesValue(weightsOf(operands), operands);
          expect(relativeError(expanded[head]!.output, expected)).toBeLessThan(1e-11);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('depends on distances only, and merges tiers of latents', () => {
    const shape = { modelSize: 6, rank: 4, ropeSize: 4, heads: 2, headSize: 3, valueSize: 3 };
    const make = makeLatent(shape, 8, 2, 11);
    const { weights, cache, query } = make(0);
    const whole = attendAbsorbed(query, cache, weights);
    const moved = make(1000);
    const shifted = attendAbsorbed(moved.query, moved.cache, weights);
    const tier = (start: number, end: number): LatentCache => ({
      tokens: end - start,
      latent: cache.latent.slice(start * 4, end * 4),
      ropeKey: cache.ropeKey.slice(start * 4, end * 4),
    });
    const far = attendAbsorbed(query, tier(0, 5), weights);
    const near = attendExpanded(query, tier(5, 8), weights);
    for (const [head, part] of whole.entries()) {
      expectEqual(shifted[head]!, part, 1e-10);
      expectEqual(mergePartials([far[head]!, near[head]!]), part, 1e-11);
    }
  });

  it('refuses tensors that do not fit', () => {
    const shape = { modelSize: 2, rank: 1, ropeSize: 2, heads: 1, headSize: 1, valueSize: 1 };
    const rope = makeRope({ headSize: 2, base: 100, pairing: 'half-split' });
    const weights = { shape, down: [1, 1], upKey: [1], upValue: [1], ropeKey: [1, 2, 3, 4] };
    const cache = compressTokens([1, 2], [0], weights, rope);
    expect([...cache.latent, ...cache.ropeKey]).toEqual([3, 7, 10]);
    expect(() => compressTokens([1, 2, 3], [0], weights, rope)).toThrow(
      'invalid hidden length: 3 (expected 2)',
    );
    const query = { queries: 1, content: [1, 2], rope: [1, 2] };
    expect(() => attendAbsorbed(query, cache, weights)).toThrow(
      'invalid content length: 2 (expected 1)',
    );
  });
});

describe('bytes per token', () => {
  it('follow the formulas and agree where the layouts coincide', () => {
    const sizes = { layers: 32, headSize: 128, bytesPerElement: 2 };
    expect(mhaBytesPerToken({ ...sizes, queryHeads: 32 })).toBe(524_288);
    expect(gqaBytesPerToken({ ...sizes, kvHeads: 8 })).toBe(131_072);
    expect(gqaBytesPerToken({ ...sizes, kvHeads: 1 })).toBe(mqaBytesPerToken(sizes));
    expect(gqaBytesPerToken({ ...sizes, kvHeads: 32 })).toBe(
      mhaBytesPerToken({ ...sizes, queryHeads: 32 }),
    );
    const latent = { rank: 512, ropeSize: 64 };
    expect(mlaBytesPerToken({ ...sizes, ...latent })).toBe(36_864);
    expect(equivalentKvHeads({ ...latent, headSize: 128 })).toBe(2.25);
    expect(() => gqaBytesPerToken({ ...sizes, kvHeads: 0 })).toThrow('invalid kvHeads: 0');
  });

  it('of a latent cache are those of the tensors that it holds', () => {
    const shape = { modelSize: 5, rank: 3, ropeSize: 4, heads: 2, headSize: 2, valueSize: 2 };
    const rope = makeRope({ headSize: 4, base: 100, pairing: 'half-split' });
    const random = createRandom(2);
    const weights = {
      shape,
      down: normals(random, 15),
      upKey: normals(random, 12),
      upValue: normals(random, 12),
      ropeKey: normals(random, 20),
    };
    const cache = compressTokens(normals(random, 35), [0, 1, 2, 3, 4, 5, 6], weights, rope);
    const bytes = mlaBytesPerToken({ layers: 1, bytesPerElement: 8, rank: 3, ropeSize: 4 });
    expect(cache.latent.byteLength + cache.ropeKey.byteLength).toBe(7 * bytes);
  });
});
