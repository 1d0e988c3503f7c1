import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectionStats } from '../../../lib/attention/select/evaluate';
import { channelMeans, quantiseTokens } from '../../../lib/attention/select/low-bit';
import { selectOracle } from '../../../lib/attention/select/oracle';
import { pageUpperBound, splitQuery } from '../../../lib/attention/select/page-scores';
import { selectPbs, sortSegments } from '../../../lib/attention/select/pbs';
import { selectLserve } from '../../../lib/attention/select/quest';
import { selectSale } from '../../../lib/attention/select/sale';
import { pageBounds } from '../../../lib/attention/select/summaries';
import { denseProbabilities, randomHead, rowOf } from './select-cases';

describe('page bounds', () => {
  it('the bound is at least the largest product in the page, and tighter for sub-pages', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 1e6 }),
        fc.constantFrom(2, 4, 8),
        (keys, seed, sub) => {
          const head = randomHead({ queries: 1, keys, seed, spread: 3 });
          const positive = new Float32Array(8);
          const negative = new Float32Array(8);
          splitQuery(head.query, 0, positive, negative);
          const pages = pageBounds(head.key, keys, 8, 8);
          const subPages = pageBounds(head.key, keys, 8, sub);
          for (let page = 0; page * 8 < keys; page++) {
            const bound = pageUpperBound(positive, negative, pages, page);
            let logical = -Infinity;
            for (let s = page * (8 / sub); s < (page + 1) * (8 / sub) && s * sub < keys; s++)
              logical = Math.max(logical, pageUpperBound(positive, negative, subPages, s));
            let largest = -Infinity;
            for (let k = page * 8; k < Math.min(keys, page * 8 + 8); k++) {
              let product = 0;
              for (let d = 0; d < 8; d++)
                product += (head.query[d] as number) * (head.key[k * 8 + d] as number);
              largest = Math.max(largest, product);
            }
            expect(bound).toBeGreaterThanOrEqual(logical - 1e-9);
            expect(logical).toBeGreaterThanOrEqual(largest - 1e-9);
          }
        },
      ),
    );
  });

  it('a decode step finds the page of its best key within a constant budget', () => {
    const head = randomHead({ queries: 1, keys: 300, seed: 8, spread: 0.3 });
    for (let d = 0; d < 8; d++) head.key[137 * 8 + d] = 5 * (head.query[d] as number);
    const selection = selectLserve(head, {
      blockQueries: 1,
      pageTokens: 16,
      subPageTokens: 4,
      budgetTokens: 48,
      sinkTokens: 1,
      recentTokens: 1,
    });
    expect(rowOf(selection, 0)).toEqual([0, 8, 18]);
  });
});

describe('sale', () => {
  it('with 8 bits finds every pair above the threshold, and nothing below it but by rounding', () => {
    const head = randomHead({ queries: 96, keys: 96, headSize: 16, seed: 11, spread: 1.6 });
    // A mean far from 0: its part of the score must come back after the subtraction.
    for (let i = 5; i < head.key.length; i += 16) head.key[i] = (head.key[i] as number) + 6;
    const options = { blockQueries: 8, blockKeys: 4, sinkTokens: 4, windowTokens: 8 };
    const threshold = 0.3;
    const selection = selectSale(head, { ...options, bits: 8, threshold });
    const forced = selectSale(head, { ...options, bits: 8, threshold: 1 });
    const mean = channelMeans(head.key, 96, 16);
    const query = quantiseTokens(head.query, 96, 16, 8);
    const key = quantiseTokens(head.key, 96, 16, 8, mean);
    const at = (values: Float32Array, t: number, d: number) => values[t * 16 + d] as number;
    let hits = 0;
    let extra = 0;
    for (let i = 0; i < selection.queryBlocks; i++) {
      const lastPosition = i * 8 + 7;
      const isForced = (j: number) => j === 0 || (j * 4 + 3 >= i * 8 - 7 && j * 4 <= lastPosition);
      for (let j = 0; j * 4 <= lastPosition; j++) {
        if (isForced(j)) {
          expect(rowOf(selection, i)).toContain(j);
          continue;
        }
        let surely = false;
        let possibly = false;
        for (let q = i * 8; q < i * 8 + 8; q++) {
          const score = (k: number) => {
            let sum = 0;
            for (let d = 0; d < 16; d++) sum += at(head.query, q, d) * at(head.key, k, d);
            return sum / 4;
          };
          let reference = 0;
          for (let k = 0; k <= q; k++)
            if (isForced(Math.floor(k / 4))) reference += Math.exp(score(k));
          for (let k = j * 4; k < j * 4 + 4; k++) {
            // |q.k - q'.k'| <= |q| dk + |k| dq + dq dk per channel, with d = scale / 2.
            const dq = (query.scales[q] as number) / 2;
            const dk = (key.scales[k] as number) / 2;
            let rounding = 0;
            for (let d = 0; d < 16; d++) {
              const centred = at(head.key, k, d) - (mean[d] as number);
              rounding += Math.abs(at(head.query, q, d)) * dk + Math.abs(centred) * dq + dq * dk;
            }
            const margin = score(k) - Math.log(reference * threshold);
            if (margin > rounding / 4 + 1e-4) surely = true;
            if (margin > -rounding / 4 - 1e-4) possibly = true;
          }
        }
        const isKept = rowOf(selection, i).includes(j);
        if (surely) expect(isKept).toBe(true);
        if (!possibly) expect(isKept).toBe(false);
        if (surely) hits++;
        if (!possibly) extra++;
      }
    }
    // The case decides something both ways.
    expect(hits).toBeGreaterThan(10);
    expect(extra).toBeGreaterThan(10);
    expect(forced.blocks.length).toBeLessThan(selection.blocks.length);
  });

  it('rounds to half a scale', () => {
    const head = randomHead({ queries: 4, keys: 40, seed: 2 });
    for (const bits of [2, 3, 4, 8]) {
      const { codes, scales } = quantiseTokens(head.key, 40, 8, bits);
      for (let i = 0; i < codes.length; i++) {
        const scale = scales[Math.floor(i / 8)] as number;
        const error = Math.abs((codes[i] as number) * scale - (head.key[i] as number));
        expect(error).toBeLessThanOrEqual(scale / 2 + 1e-12);
        expect(Math.abs(codes[i] as number)).toBeLessThan(2 ** (bits - 1));
      }
    }
  });

  it('subtracting the mean rescues keys that share a large offset', () => {
    const head = randomHead({ queries: 64, keys: 64, headSize: 16, seed: 13, spread: 1.5 });
    for (let k = 0; k < 64; k++) head.key[k * 16 + 3] = 200;
    const errors = [true, false].map((subtractMean) => {
      const options = { blockQueries: 4, blockKeys: 2, sinkTokens: 2, windowTokens: 4 };
      const choose = (bits: number) =>
        selectSale(head, { ...options, bits, threshold: 0.3, subtractMean: true });
      const low = selectSale(head, { ...options, bits: 4, threshold: 0.3, subtractMean });
      const truth = new Set(
        [...Array(low.queryBlocks).keys()].flatMap((i) =>
          rowOf(choose(8), i).map((j) => `${i} ${j}`),
        ),
      );
      const found = [...Array(low.queryBlocks).keys()].flatMap((i) =>
        rowOf(low, i).map((j) => `${i} ${j}`),
      );
      const common = found.filter((pair) => truth.has(pair)).length;
      return truth.size + found.length - 2 * common;
    });
    expect(errors[0]).toBeLessThan(errors[1] as number);
  });
});

describe('pbs', () => {
  it('sorts complete segments only, by score', () => {
    const order = sortSegments(Float64Array.of(1, 3, 2, 2, 9, 0, 5, 7, 1, 4), 4);
    expect([...order]).toEqual([1, 2, 3, 0, 4, 7, 6, 5, 8, 9]);
  });

  it('attention over permuted keys with all blocks on equals dense attention', () => {
    const head = randomHead({ queries: 53, keys: 70, seed: 21, spread: 1.5 });
    const { keyOrder, keyBlocks } = selectPbs(head, {
      blockTokens: 4,
      segmentTokens: 16,
      share: 1,
    });
    expect(keyBlocks).toBe(18);
    const order = keyOrder as Uint32Array;
    expect([...order]).not.toEqual([...order.keys()]);
    const permute = (values: Float32Array) =>
      Float32Array.from(
        values,
        (_, i) => values[(order[i >> 3] as number) * 8 + (i & 7)] as number,
      );
    const permuted = { ...head, key: permute(head.key), value: permute(head.value) };
    const dense = denseProbabilities(head);
    for (let q = 0; q < 53; q++) {
      const weights = Array.from({ length: 70 }, (_, slot) => {
        if ((order[slot] as number) > 17 + q) return 0;
        let score = 0;
        for (let d = 0; d < 8; d++)
          score += (head.query[q * 8 + d] as number) * (permuted.key[slot * 8 + d] as number);
        return Math.exp(score / Math.sqrt(8));
      });
      const sum = weights.reduce((a, b) => a + b, 0);
      for (let d = 0; d < 8; d++) {
        const out = weights.reduce((o, w, s) => o + w * (permuted.value[s * 8 + d] as number), 0);
        const expected = (dense[q] as number[]).reduce(
          (o, p, k) => o + p * (head.value[k * 8 + d] as number),
          0,
        );
        expect(out / sum).toBeCloseTo(expected, 9);
      }
    }
  });

  it('gathers scattered heavy keys: fewer blocks hold more mass than unsorted', () => {
    // One heavy key in every block of 4: without a permutation each block of a past segment counts.
    const head = randomHead({ queries: 128, keys: 128, headSize: 8, seed: 5, spread: 0.5 });
    for (let q = 0; q < 128; q++) head.query[q * 8] = 4;
    for (let k = 0; k < 128; k++) head.key[k * 8] = k % 4 === 1 ? 5 : -1;
    const permuted = selectPbs(head, { blockTokens: 4, segmentTokens: 32, share: 0.9 });
    const plain = selectOracle(head, {
      blockQueries: 4,
      blockKeys: 4,
      budget: { type: 'top-p', share: 0.9 },
    });
    const a = selectionStats(head, permuted);
    const b = selectionStats(head, plain);
    expect(a.massRecall).toBeGreaterThan(b.massRecall);
    expect(a.density).toBeLessThan(0.6 * b.density);
  });
});
