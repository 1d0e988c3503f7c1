import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectAShape } from '../../../lib/attention/select/a-shape';
import {
  maskedOutputError,
  selectionMask,
  selectionStats,
} from '../../../lib/attention/select/evaluate';
import { addTopK, addTopP } from '../../../lib/attention/select/selectors';
import { representativeToken } from '../../../lib/attention/select/summaries';
import { treeSearch } from '../../../lib/attention/select/tree-search';
import type { Selection } from '../../../lib/attention/select/types';
import { denseProbabilities, randomHead, SMALL } from './select-cases';

describe('evaluation', () => {
  it('agrees with the textbook: density, mass recall and output error', () => {
    const head = randomHead({ queries: 21, keys: 37, seed: 5, spread: 1.5 });
    const selection = SMALL['vertical-slash']?.(head) as Selection;
    const mask = selectionMask(head, selection);
    const probabilities = denseProbabilities(head);
    let kept = 0;
    let recall = 0;
    let difference = 0;
    let norm = 0;
    probabilities.forEach((row, q) => {
      const mass = row.reduce((sum, p, k) => sum + (mask(q, k) ? p : 0), 0);
      kept += row.filter((_, k) => mask(q, k)).length;
      recall += mass / head.queries;
      for (let d = 0; d < head.headSize; d++) {
        const at = (k: number) => head.value[k * head.headSize + d] as number;
        const dense = row.reduce((sum, p, k) => sum + p * at(k), 0);
        const masked = row.reduce((sum, p, k) => sum + (mask(q, k) ? (p / mass) * at(k) : 0), 0);
        difference += (dense - masked) ** 2;
        norm += dense ** 2;
      }
    });
    const stats = selectionStats(head, selection);
    expect(stats.keptPairs).toBe(kept);
    expect(stats.visiblePairs).toBe((21 * (17 + 37)) / 2);
    expect(stats.massRecall).toBeCloseTo(recall, 10);
    expect(maskedOutputError(head, selection)).toBeCloseTo(Math.sqrt(difference / norm), 10);
  });

  it('a selection of nothing has output 0: error 1, recall 0', () => {
    const head = randomHead({ queries: 8, keys: 8 });
    const none = selectAShape(head, {
      blockQueries: 4,
      blockKeys: 4,
      sinkTokens: 0,
      windowTokens: 0,
    });
    expect(none.blocks.length).toBe(0);
    expect(maskedOutputError(head, none)).toBeCloseTo(1, 12);
    expect(selectionStats(head, none)).toMatchObject({ keptPairs: 0, massRecall: 0 });
  });

  it('kept keys far below the maximum still normalise to 1', () => {
    const head = randomHead({ queries: 1, keys: 4, headSize: 1 });
    head.query[0] = 1;
    head.key.set([5000, 0, 0, 0]);
    const last = selectAShape(head, {
      blockQueries: 1,
      blockKeys: 1,
      sinkTokens: 0,
      windowTokens: 1,
    });
    const [v0, , , v3] = head.value as unknown as number[];
    expect(maskedOutputError(head, last)).toBeCloseTo(
      Math.abs(((v3 as number) - (v0 as number)) / (v0 as number)),
      10,
    );
  });
});

describe('selectors', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 9 });

  it('top-p is a smallest set that reaches the share', () => {
    fc.assert(
      fc.property(weights, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (values, share) => {
        const kept = new Uint8Array(values.length);
        addTopP(kept, Float64Array.from(values), values.length, share);
        const total = values.reduce((a, b) => a + b, 0);
        const massOf = (set: (i: number) => boolean) =>
          values.reduce((sum, w, i) => sum + (set(i) ? w : 0), 0);
        expect(massOf((i) => kept[i] === 1)).toBeGreaterThanOrEqual(share * total - 1e-9);
        const size = kept.reduce((a, b) => a + b, 0);
        for (let subset = 0; subset < 2 ** values.length; subset++) {
          const bits = [...subset.toString(2)].filter((bit) => bit === '1').length;
          if (bits < size)
            expect(massOf((i) => ((subset >> i) & 1) === 1)).toBeLessThan(share * total);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('top-p that drops the crossing entry stays within the share; forced mass counts', () => {
    const weights = Float64Array.of(5, 3, 2);
    const dropped = new Uint8Array(3);
    addTopP(dropped, weights, 3, 0.7, { crossing: 'drop' });
    expect([...dropped]).toEqual([1, 0, 0]);
    const kept = new Uint8Array(3);
    addTopP(kept, weights, 3, 0.7);
    expect([...kept]).toEqual([1, 1, 0]);
    const forced = Uint8Array.of(0, 1, 1);
    addTopP(forced, weights, 3, 0.5);
    expect([...forced]).toEqual([0, 1, 1]);
  });

  it('top-k counts forced entries, breaks ties by index and skips what is no candidate', () => {
    const kept = Uint8Array.of(0, 0, 0, 0, 1);
    addTopK(kept, Float64Array.of(1, -Infinity, 7, 7, 0), 5, 3);
    expect([...kept]).toEqual([0, 0, 1, 1, 1]);
    const all = new Uint8Array(3);
    addTopK(all, Float64Array.of(1, -Infinity, Number.NaN), 3, 3);
    expect([...all]).toEqual([1, 0, 0]);
  });

  it('tree search finds the exact top-k of monotone scores, with fewer scores than leaves', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        fc.constantFrom('first', 'centre', 'last'),
        fc.integer({ min: 2, max: 9 }),
        (count, keep, isRising, kind, branch) => {
          const probe = (start: number, end: number) =>
            kind === 'first' ? start : kind === 'last' ? end - 1 : (start + end) >>> 1;
          const score = (i: number) => (isRising ? i : -i);
          const { leaves } = treeSearch(count, keep, probe, score, branch);
          const size = Math.min(count, keep);
          const first = isRising ? count - size : 0;
          expect([...leaves]).toEqual(Array.from({ length: size }, (_, i) => first + i));
        },
      ),
    );
    const wide = treeSearch(
      4096,
      8,
      (start) => start,
      (i) => i,
    );
    expect(wide.scoredChunks).toBeLessThan(2 * 8 * Math.log2(4096 / 8) + 1);
  });

  it('names the representative of a chunk', () => {
    expect(representativeToken('first', 8, 16)).toBe(8);
    expect(representativeToken('centre', 8, 16)).toBe(12);
    expect(representativeToken('last', 8, 16)).toBe(15);
    for (const kind of ['first', 'centre', 'last'] as const)
      expect(representativeToken(kind, 5, 6)).toBe(5);
  });

  it('tree search loses a lone peak that no representative hits', () => {
    const peak = 777;
    const centre = (start: number, end: number) => (start + end) >>> 1;
    const score = (i: number) => (i === peak ? 100 : -i);
    expect([...treeSearch(1024, 4, centre, score).leaves]).not.toContain(peak);
  });
});
