import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attentionSum } from '../../../../lib/cache/retrieve/attention-sum';
import { blockScores, meanBlockKeys } from '../../../../lib/cache/retrieve/block-keys';
import {
  dot,
  everyPositions,
  rowsOfBlocks,
  topIndices,
} from '../../../../lib/cache/retrieve/choose';
import { landmarkScores, landmarksOf } from '../../../../lib/cache/retrieve/landmarks';
import { lowRankOf, rebuild } from '../../../../lib/cache/retrieve/low-rank';
import {
  largestOfRuns,
  lserveSession,
  streamingHeads,
} from '../../../../lib/cache/retrieve/lserve';
import { pageBounds, pageScores } from '../../../../lib/cache/retrieve/pages';
import { pagesFor } from '../../../../lib/cache/retrieve/quest';
import { clusterWeights, weightedTopP } from '../../../../lib/cache/retrieve/resv';
import { clusterBySign, differingBits } from '../../../../lib/cache/retrieve/sign-hash';
import { createRandom } from '../../../../lib/random/random';
import { largestDifference } from '../../speculate/tiny-model';

function normals(seed: number, length: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => random.normal());
}

describe('Quest', () => {
  it('bounds every key of a page from above, for every query of the group', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 9 }),
        (seed, count, pageTokens) => {
          const keys = normals(seed, count * 6);
          const queries = normals(seed + 1, 2 * 6);
          const scores = pageScores(pageBounds(keys, count, 6, pageTokens), queries, 6);
          for (let row = 0; row < count; row++) {
            for (const from of [0, 6]) {
              const score = dot(queries, from, keys, row * 6, 6);
              expect(scores[Math.floor(row / pageTokens)]!).toBeGreaterThanOrEqual(score - 1e-6);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('scores a page by the better end of each channel', () => {
    const bounds = pageBounds(Float32Array.of(1, -2, 3, 4, 0, 0), 3, 2, 2);
    expect([...bounds.least]).toEqual([1, -2, 0, 0]);
    expect([...bounds.most]).toEqual([3, 4, 0, 0]);
    // Query (2, -1): 2 x 3 + -1 x -2 = 8 and 0; the second query (-1, 0): -1 and 0.
    expect([...pageScores(bounds, Float32Array.of(2, -1), 2)]).toEqual([8, 0]);
    const both = pageScores(bounds, Float32Array.of(-1, 0, -2, 0), 2);
    expect([...both].map((score) => score + 0)).toEqual([-1, 0]);
  });

  it('keeps to whole pages of its budget', () => {
    expect(pagesFor(0.25, 64, 8)).toBe(2);
    expect(pagesFor(0.24, 64, 8)).toBe(1);
    expect(pagesFor(0.01, 64, 8)).toBe(1);
    expect(pagesFor(1, 65, 8)).toBe(9);
    expect([...rowsOfBlocks(Int32Array.of(0, 2), 3, 8)]).toEqual([0, 1, 2, 6, 7]);
    expect([...topIndices([1, 5, 5, 2], 2)]).toEqual([1, 2]);
  });
});

describe('ShadowKV', () => {
  it('takes the chunk whose mean stands worst for a token as the outlier', () => {
    // Chunk 0: two equal keys. Chunk 1: opposite keys but for a little, mean (0.5, 0).
    const keys = Float32Array.of(1, 1, 1, 1, 2, 0, -1, 0, 0, 3, 0, 3);
    const marks = landmarksOf(keys, 6, 2, 2, 1, 1);
    expect([...landmarksOf(keys, 6, 2, 2, 9, 2).outliers]).toEqual([0]);
    expect([...marks.means]).toEqual([1, 1, 0.5, 0, 0, 3]);
    expect([...marks.outliers]).toEqual([1]);
    // q (0, sqrt 2) on the means: 1, 0, 3, so the softmax is e, 1 and e^3 over their sum.
    const scores = landmarkScores(marks, Float32Array.of(0, Math.SQRT2), 2);
    const sum = Math.E + 1 + Math.E ** 3;
    expect(scores[0]).toBeCloseTo(Math.E / sum, 6);
    expect(scores[2]).toBeCloseTo(Math.E ** 3 / sum, 6);
  });

  it('factors keys: exact at full rank, and with the tail of the spectrum as error below it', () => {
    const diagonal = Float32Array.of(3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0);
    const cut = rebuild(lowRankOf(diagonal, 4, 3, 2));
    expect(largestDifference(cut, [3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])).toBeLessThan(1e-6);
    const keys = normals(4, 40 * 16);
    expect(largestDifference(rebuild(lowRankOf(keys, 40, 16, 16)), keys)).toBeLessThan(1e-5);
    const errors = [4, 8, 12].map((rank) => {
      const back = rebuild(lowRankOf(keys, 40, 16, rank));
      return back.reduce((sum, value, i) => sum + (value - keys[i]!) ** 2, 0);
    });
    expect(errors[0]!).toBeGreaterThan(errors[1]!);
    expect(errors[1]!).toBeGreaterThan(errors[2]!);
    expect(() => lowRankOf(keys, 40, 16, 17)).toThrow('invalid rank: 17 (expected 1..16)');
  });
});

describe('ReSV', () => {
  it('puts keys of like signs together', () => {
    const keys = normals(9, 6 * 8);
    keys.copyWithin(8, 0, 8);
    const tight = clusterBySign(keys, 6, 8, { bits: 32, maxDistance: 0, seed: 1 });
    expect(tight.clusterOf[1]).toBe(tight.clusterOf[0]);
    expect(tight.sizes[0]).toBe(2);
    const one = clusterBySign(keys, 6, 8, { bits: 32, maxDistance: 32, seed: 1 });
    expect([...one.sizes]).toEqual([6]);
    expect(one.means[0]).toBeCloseTo(
      [0, 1, 2, 3, 4, 5].reduce((s, r) => s + keys[r * 8]! / 6, 0),
      5,
    );
    expect(differingBits(0xffffffff, 0)).toBe(32);
    expect(differingBits(0b1010, 0b0110)).toBe(2);
  });

  it('weighs a cluster by its size', () => {
    // Scores 0 and ln 2 with sizes 3 and 1: weights 3 and 2 of 5.
    const means = Float32Array.of(0, Math.log(2));
    const weights = clusterWeights(Float32Array.of(1), means, Int32Array.of(3, 1), 1);
    expect(weights[0]).toBeCloseTo(0.6, 6);
    expect([...weightedTopP(weights, 0.6 - 1e-6)]).toEqual([0]);
    expect([...weightedTopP(weights, 0.7)].sort()).toEqual([0, 1]);
    expect(weightedTopP(Float64Array.of(1, 0, 0), 1).size).toBe(3);
  });
});

describe('LServe', () => {
  it('scores a page by the best of its logical pages, more tightly than by one bound', () => {
    expect([...largestOfRuns(Float64Array.of(1, 4, 2, 3, 9), 2)]).toEqual([4, 3, 9]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const keys = normals(seed, 32 * 4);
        const query = normals(seed + 1, 4);
        const whole = pageScores(pageBounds(keys, 32, 4, 8), query, 4);
        const parts = largestOfRuns(pageScores(pageBounds(keys, 32, 4, 2), query, 4), 4);
        parts.forEach((score, page) => {
          expect(score).toBeLessThanOrEqual(whole[page]! + 1e-9);
        });
      }),
    );
  });

  it('makes the lowest gates streaming', () => {
    expect([
      ...streamingHeads(
        [
          [0.9, 0.1],
          [0.5, 0.2],
        ],
        0.5,
      ),
    ]).toEqual(['0,1', '1,1']);
    expect(streamingHeads([[0.9, 0.1, 0.3]], 0.5).size).toBe(1);
    expect(() => lserveSession({ share: 0.5, pageTokens: 10, logicalTokens: 4 })).toThrow(
      'invalid logicalTokens: 4 (expected a divisor of 10)',
    );
  });

  it('chooses anew at every fourth position of an answer, and for every token of a question', () => {
    let asked = 0;
    const stepped = everyPositions(4, () => Int32Array.of(asked++));
    const at = (phase: 'question' | 'answer') => (position: number) =>
      stepped.choose({ phase, position })[0];
    expect([7, 8, 9].map(at('question'))).toEqual([0, 1, 2]);
    expect([10, 11, 12, 13, 14, 15, 18].map(at('answer'))).toEqual([3, 3, 3, 3, 4, 4, 5]);
    stepped.reset();
    expect(at('answer')(10)).toBe(6);
    expect([19, 20].map(at('question'))).toEqual([7, 8]);
    expect(at('answer')(21)).toBe(9);
  });
});

describe('LoopServe and ReKV', () => {
  it('sums attention over the queries of a group', () => {
    const total = attentionSum(Float32Array.of(0, Math.log(3)), Float32Array.of(0, 1), 2, 1);
    expect(total[0]).toBeCloseTo(0.5 + 0.25, 6);
    expect(total[1]).toBeCloseTo(0.5 + 0.75, 6);
  });

  it('scores blocks by mean keys with the heads side by side', () => {
    const heads = [Float32Array.of(1, 3, 5), Float32Array.of(0, 2, 8)];
    const blocks = meanBlockKeys(heads, 3, 1, 2);
    expect([...blocks]).toEqual([2, 1, 5, 8]);
    expect([...blockScores(blocks, Float32Array.of(1, -1))]).toEqual([1, -3]);
  });
});
