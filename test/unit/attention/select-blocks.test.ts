import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectAShape } from '../../../lib/attention/select/a-shape';
import { antidiagonalMass, reverseGroups } from '../../../lib/attention/select/antidiagonal-scores';
import { selectBlockSparse } from '../../../lib/attention/select/block-sparse';
import { selectionMask, selectionStats } from '../../../lib/attention/select/evaluate';
import { makeGrid } from '../../../lib/attention/select/grid';
import { selectHip } from '../../../lib/attention/select/hip';
import { selectMoba } from '../../../lib/attention/select/moba';
import { selectNsa } from '../../../lib/attention/select/nsa';
import { selectOracle } from '../../../lib/attention/select/oracle';
import { MINFERENCE_CANDIDATES, searchPattern } from '../../../lib/attention/select/pattern-search';
import { selectPbs } from '../../../lib/attention/select/pbs';
import { selectQuest } from '../../../lib/attention/select/quest';
import { slidingMeans } from '../../../lib/attention/select/summaries';
import { selectXAttention } from '../../../lib/attention/select/xattention';
import { plantedLines, randomHead, rowOf } from './select-cases';

describe('block methods', () => {
  it('moba always keeps the self block', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 30 }),
        fc.constantFrom(1, 3, 8),
        fc.integer({ min: 0, max: 1e6 }),
        (queries, extra, blockQueries, seed) => {
          const head = randomHead({ queries, keys: queries + extra, seed, spread: 3 });
          const selection = selectMoba(head, { blockTokens: 8, topBlocks: 1, blockQueries });
          const mask = selectionMask(head, selection);
          for (let q = 0; q < queries; q++) expect(mask(q, extra + q)).toBe(true);
        },
      ),
    );
  });

  it('no selector keeps more mass than the oracle with as many blocks', () => {
    for (const seed of [1, 2, 3]) {
      const head = randomHead({ queries: 64, keys: 80, seed, spread: 1.4 });
      for (const blocks of [1, 2, 4]) {
        const oracle = (blockQueries: number) =>
          selectionStats(
            head,
            selectOracle(head, { blockQueries, blockKeys: 8, budget: { type: 'top-k', blocks } }),
          ).massRecall;
        const rivals = {
          block: selectBlockSparse(head, { blockQueries: 8, blockKeys: 8, topBlocks: blocks }),
          quest: selectQuest(head, {
            blockQueries: 1,
            pageTokens: 8,
            budgetTokens: 8 * blocks,
            sinkTokens: 0,
            recentTokens: 0,
          }),
          moba: selectMoba(head, { blockTokens: 8, topBlocks: blocks, blockQueries: 1 }),
        };
        for (const [name, rival] of Object.entries(rivals)) {
          const recall = selectionStats(head, rival).massRecall;
          expect(recall, name).toBeLessThanOrEqual(oracle(rival.blockQueries) + 1e-9);
        }
      }
    }
  });

  it('hip finds the best key blocks of scores monotone in position', () => {
    const head = randomHead({ queries: 40, keys: 200, seed: 3, spread: 0 });
    for (let q = 0; q < 40; q++) head.query[q * 8] = 1;
    // Falling scores: the best keys are the first ones, which no window would keep.
    for (let k = 0; k < 200; k++) head.key[k * 8] = -k;
    for (const queryReduce of ['max', 'mean'] as const) {
      for (const representative of ['first', 'centre', 'last'] as const) {
        const options = { blockQueries: 8, blockKeys: 2, keptTokens: 10, windowTokens: 4 };
        const selection = selectHip(head, {
          ...options,
          sinkTokens: 0,
          representative,
          queryReduce,
        });
        // Queries 0..7 are positions 160..167; their windows begin at 157.
        const window = [78, 79, 80, 81, 82, 83];
        expect(rowOf(selection, 0)).toEqual([0, 1, 2, 3, 4, ...window]);
        const dense = 2 * 8 * 40 * 180;
        if (queryReduce === 'mean') expect(selection.selectionFlops).toBeLessThan(dense / 8);
      }
    }
  });

  it('xattention at stride 1 is the exact block mass', () => {
    const head = randomHead({ queries: 50, keys: 66, causal: false, spread: 1.5, seed: 17 });
    for (const share of [0.3, 0.8]) {
      const estimated = selectXAttention(head, { blockTokens: 8, stride: 1, share });
      const exact = selectOracle(head, {
        blockQueries: 8,
        blockKeys: 8,
        budget: { type: 'top-p', share },
      });
      expect(estimated.offsets).toEqual(exact.offsets);
      expect(estimated.blocks).toEqual(exact.blocks);
    }
  });

  it('xattention scores a tile by its antidiagonal', () => {
    const head = randomHead({ queries: 8, keys: 8, causal: false, seed: 19 });
    const grid = makeGrid(head, 4, 4);
    const mass = new Float64Array(2);
    antidiagonalMass(head, grid, reverseGroups(head, 4), 1, 1, mass);
    const tile = (keyTile: number) => {
      let sum = 0;
      for (let i = 0; i < 4; i++)
        for (let d = 0; d < 8; d++)
          sum +=
            (head.query[(7 - i) * 8 + d] as number) *
            (head.key[(keyTile * 4 + i) * 8 + d] as number);
      return Math.exp(sum / (Math.sqrt(8) * 4));
    };
    expect(mass[0]).toBeCloseTo(tile(0) / (tile(0) + tile(1)), 12);
    expect((mass[0] as number) + (mass[1] as number)).toBeCloseTo(1, 12);
  });

  it('nsa shares a compressed key between the blocks it overlaps', () => {
    // Compressed keys of 8 every 4: the one at 12..19 straddles blocks 1 (8..15) and 2 (16..23).
    const head = randomHead({ queries: 1, keys: 32, spread: 0.01 });
    head.query[0] = 10;
    for (let k = 12; k < 20; k++) head.key[k * 8] = 10;
    const options = {
      compressTokens: 8,
      compressStride: 4,
      blockTokens: 8,
      initialTokens: 0,
      localTokens: 0,
      windowTokens: 0,
      blockQueries: 1,
    };
    expect(rowOf(selectNsa(head, { ...options, topBlocks: 2 }), 0)).toEqual([1, 2]);
    const windowed = selectNsa(head, { ...options, topBlocks: 2, windowTokens: 4 });
    expect(rowOf(windowed, 0)).toEqual([1, 2, 3]);
    const local = selectNsa(head, { ...options, topBlocks: 2, localTokens: 1 });
    expect(rowOf(local, 0)).toEqual([1, 3]);
    expect(slidingMeans(head.key, 7, 8, 8, 4).length).toBe(0);
  });

  it('nsa weighs an overlap by its length', () => {
    // Compressed keys 0..11, 8..19 and 16..27 with shares 0.5, 0.1 and 0.4: blocks of 8 score
    // 8 x 0.5, 4 x 0.5 + 8 x 0.1, 4 x 0.1 + 8 x 0.4 and 4 x 0.4, so blocks 0 and 2 win.
    const head = randomHead({ queries: 1, keys: 28, spread: 0 });
    head.query[0] = 1;
    const logit = (share: number) => (12 / 8) * Math.log(share / 0.1) * Math.sqrt(8);
    for (let k = 0; k < 8; k++) head.key[k * 8] = logit(0.5);
    for (let k = 20; k < 28; k++) head.key[k * 8] = logit(0.4);
    const selection = selectNsa(head, {
      compressTokens: 12,
      compressStride: 8,
      blockTokens: 8,
      topBlocks: 2,
      initialTokens: 0,
      localTokens: 0,
      windowTokens: 0,
      blockQueries: 1,
    });
    expect(rowOf(selection, 0)).toEqual([0, 2]);
  });
});

describe('pattern search', () => {
  const options = {
    blockQueries: 8,
    blockKeys: 8,
    windowQueries: 16,
    forcedColumns: 1,
    forcedDiagonals: 1,
    candidates: [
      { type: 'a-shape', sinkTokens: 4, windowTokens: 16 },
      { type: 'vertical-slash', columns: 4, diagonals: 4 },
      { type: 'block', topBlocks: 2 },
    ],
  } as const;

  it('finds each head its own pattern, and the best has the least error', () => {
    const block = randomHead({ queries: 128, keys: 128, headSize: 16, seed: 23, spread: 0.1 });
    for (let t = 0; t < 128; t++) {
      // Queries of a block look at one earlier block, another one for each.
      const kind = Math.floor(t / 8);
      block.query[t * 16 + ((kind * 5) % 16)] = 8;
      block.key[t * 16 + kind] = 6;
    }
    const local = randomHead({ queries: 128, keys: 128, headSize: 16, seed: 25, spread: 0.1 });
    for (let t = 0; t < 128; t++) {
      for (let pair = 0; pair < 2; pair++) {
        const angle = t * (pair === 0 ? 0.12 : 0.05);
        for (const tensor of [local.query, local.key]) {
          tensor[t * 16 + 2 * pair] = 6 * Math.cos(angle);
          tensor[t * 16 + 2 * pair + 1] = 6 * Math.sin(angle);
        }
      }
    }
    const expected = [
      ['vertical-slash', plantedLines(() => true)],
      ['block', block],
      ['a-shape', local],
    ] as const;
    for (const [pattern, head] of expected) {
      const { best, bestIndex, tried } = searchPattern(head, options);
      expect(best.pattern).toBe(pattern);
      const errors = tried.map(({ outputError }) => outputError);
      expect(errors[bestIndex]).toBe(Math.min(...errors));
      expect(tried[bestIndex]?.selection).toBe(best);
    }
  });

  it('has budgets of all three patterns', () => {
    expect(new Set(MINFERENCE_CANDIDATES.map(({ type }) => type)).size).toBe(3);
  });
});

describe('errors', () => {
  const head = randomHead({ queries: 8, keys: 8 });
  it.each([
    [
      'invalid blockKeys: 0',
      () => selectAShape(head, { blockQueries: 8, blockKeys: 0, sinkTokens: 1, windowTokens: 1 }),
    ],
    [
      'invalid stride: 3 (expected a divisor of blockTokens 8)',
      () => selectXAttention(head, { blockTokens: 8, stride: 3, share: 0.5 }),
    ],
    ['invalid share: 0', () => selectXAttention(head, { blockTokens: 8, stride: 4, share: 0 })],
    ['invalid causal: false', () => selectPbs({ ...head, causal: false })],
    [
      'invalid key length: 63 (expected 64)',
      () => selectBlockSparse({ ...head, key: head.key.subarray(1) }),
    ],
    [
      'invalid topBlocks: 1.5',
      () => selectMoba(head, { blockTokens: 8, topBlocks: 1.5, blockQueries: 1 }),
    ],
    [
      'invalid candidates: none',
      () => searchPattern(head, { blockQueries: 8, blockKeys: 8, candidates: [] }),
    ],
  ] as const)('%s', (message, run) => {
    expect(run).toThrow(message);
  });
});
