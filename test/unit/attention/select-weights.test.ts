import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeBlockReducer } from '../../../lib/attention/select/block-reducer';
import { makeGrid, visibleEnd } from '../../../lib/attention/select/grid';
import { makeOverlapReducer } from '../../../lib/attention/select/overlap-reducer';
import { summaryScores } from '../../../lib/attention/select/summary-scores';
import type { HeadTensors } from '../../../lib/attention/select/types';
import { type ComposedSelection, composedSelection } from '../../../lib/spec/kinds/selection-parts';
import { anyHeads as heads } from './arbitrary-heads';
import { randomHead } from './select-cases';

const composed = (parts: object) => composedSelection.parse({ type: 'composed', ...parts });

/** Weights of the key blocks for queries of one summariser, every query by itself. */
function weightsOf(head: HeadTensors, parts: ComposedSelection, queries: readonly number[]) {
  const grid = makeGrid(head, parts.queryBlockTokens, parts.blockTokens);
  const { perBlock, overlap, score } = summaryScores(head, grid, parts.summariser, head.query);
  const reducer =
    overlap === undefined
      ? makeBlockReducer(grid.keyBlocks, perBlock, parts.reducer)
      : makeOverlapReducer(grid, overlap, parts.reducer);
  const row = new Float64Array(Math.ceil(perBlock * grid.keyBlocks));
  const out = new Float64Array(grid.keyBlocks);
  reducer.clear();
  for (const query of queries) reducer.add(row, score(query, visibleEnd(head, query), row));
  reducer.finish(out);
  return out;
}

describe('weights of blocks', () => {
  it('parts that cross blocks share out what they get, by overlap', () => {
    const reduce = (keys: 'sum' | 'mean' | 'max', queries: 'sum' | 'max' = 'max') => {
      const grid = makeGrid({ queries: 1, keys: 24, causal: true }, 8, 8);
      const reducer = makeOverlapReducer(
        grid,
        { partTokens: 12, strideTokens: 4 },
        { of: 'scores', keys, queries },
      );
      reducer.clear();
      // Of keys 0..11, 4..15 and 8..19.
      reducer.add(Float64Array.of(8, 2, 5, 99), 3);
      const out = new Float64Array(3);
      reducer.finish(out);
      return [...out];
    };
    expect(reduce('sum')).toEqual([16 + 2, 8 + 4 + 10, 5]);
    expect(reduce('sum', 'sum')).toEqual(reduce('sum'));
    expect(reduce('mean')).toEqual([(8 * 8 + 2 * 4) / 12, (8 * 4 + 2 * 8 + 5 * 8) / 20, 5]);
    expect(reduce('max')).toEqual([8, 8, 5]);
  });

  it('parts that are the blocks are their means, where all of it is seen', () => {
    const keys = fc.constantFrom('sum', 'mean', 'max');
    const of = 'probabilities';
    fc.assert(
      fc.property(heads, fc.integer({ min: 1, max: 4 }), keys, (causal, blocks, each) => {
        const head = randomHead({ ...causal, keys: 16 * blocks, causal: false });
        const parts = (summariser: object) =>
          composed({ blockTokens: 16, summariser, reducer: { of, keys: each, queries: 'mean' } });
        const all = Array.from({ length: head.queries }, (_, q) => q);
        const sliding = { type: 'sliding-mean', partTokens: 16, strideTokens: 16 };
        const means = weightsOf(head, parts({ type: 'mean' }), all);
        weightsOf(head, parts(sliding), all).forEach((weight, j) => {
          expect(weight).toBeCloseTo(means[j] as number, 12);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('the bound of a block is at least the largest score of its keys, for any reducer of queries', () => {
    fc.assert(
      fc.property(
        heads,
        fc.constantFrom('max', 'mean', 'sum'),
        fc.constantFrom(8, 16, 32),
        (head, queries, partTokens) => {
          const parts = (summariser: object): ComposedSelection => ({
            ...composed({ blockTokens: 32, summariser }),
            reducer: { of: 'scores', keys: 'max', queries: queries as 'max' },
          });
          const all = Array.from({ length: head.queries }, (_, q) => q);
          const bounds = weightsOf(head, parts({ type: 'bounds', partTokens }), all);
          const truth = weightsOf(head, parts({ type: 'every-key' }), all);
          bounds.forEach((bound, j) => {
            if (truth[j] === -Infinity) expect(bound).toBe(-Infinity);
            else expect(bound).toBeGreaterThanOrEqual((truth[j] as number) - 1e-9 * head.queries);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('the mean score of a block is the score of its mean key, where all of it is seen', () => {
    const mean = { of: 'scores', keys: 'mean', queries: 'mean' };
    fc.assert(
      fc.property(heads, (causal) => {
        const head = { ...causal, causal: false };
        const parts = (type: string) => composed({ summariser: { type }, reducer: mean });
        const all = Array.from({ length: head.queries }, (_, q) => q);
        const keys = weightsOf(head, parts('every-key'), all);
        weightsOf(head, parts('mean'), all).forEach((weight, j) => {
          expect(weight).toBeCloseTo(keys[j] as number, 3);
        });
      }),
      { numRuns: 30 },
    );
  });

  it('probabilities of all blocks add up to one a query that sees a key', () => {
    const mass = { of: 'probabilities', keys: 'sum', queries: 'sum' };
    fc.assert(
      fc.property(heads, fc.constantFrom('mean', 'every-key', 'low-bit'), (head, type) => {
        const all = Array.from({ length: head.queries }, (_, q) => q);
        const weights = weightsOf(head, composed({ summariser: { type }, reducer: mass }), all);
        const seeing = all.filter((q) => visibleEnd(head, q) > 0).length;
        expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(seeing, 6);
      }),
      { numRuns: 40 },
    );
  });

  it('means are over the queries that score a block, of probabilities over all', () => {
    const weights = (of: 'scores' | 'probabilities') => {
      const reducer = makeBlockReducer(3, 1, { of, keys: 'max', queries: 'mean' });
      reducer.clear();
      reducer.add(Float64Array.of(2, 9, 9), 1);
      reducer.add(Float64Array.of(4, 4, 9), 2);
      const out = new Float64Array(3);
      reducer.finish(out);
      return [...out];
    };
    expect(weights('scores')).toEqual([3, 4, -Infinity]);
    expect(weights('probabilities')).toEqual([0.75, 0.25, 0]);
  });

  it('codes of 8 bits give the scores of the keys within their rounding', () => {
    const head = randomHead({ queries: 24, keys: 64, seed: 9 });
    const of = (summariser: object) => weightsOf(head, composed({ summariser }), [3, 20]);
    const exact = of({ type: 'every-key' });
    const near = of({ type: 'low-bit', bits: 8 });
    const far = of({ type: 'low-bit', bits: 2 });
    const error = (weights: Float64Array) =>
      Math.max(...weights.map((weight, j) => Math.abs(weight - (exact[j] as number))));
    expect(error(near)).toBeLessThan(0.05);
    expect(error(far)).toBeGreaterThan(error(near));
  });
});
