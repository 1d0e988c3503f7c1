import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectAShape } from '../../../lib/attention/select/a-shape';
import { selectionMask } from '../../../lib/attention/select/evaluate';
import { flexPrefillDistance, selectFlexPrefill } from '../../../lib/attention/select/flexprefill';
import { coverWithLines } from '../../../lib/attention/select/line-cover';
import { jensenShannonDistance } from '../../../lib/attention/select/pooled-scores';
import { meanPool } from '../../../lib/attention/select/summaries';
import { selectLineCover, selectVerticalSlash } from '../../../lib/attention/select/vertical-slash';
import { windowScores } from '../../../lib/attention/select/window-scores';
import { denseProbabilities, NO_FORCED, plantedLines, randomHead, rowOf } from './select-cases';

describe('a-shape', () => {
  it('contains sinks and window exactly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 30 }),
        fc.constantFrom(1, 5, 8),
        (queries, extra, sinkTokens, windowTokens, block) => {
          const head = randomHead({ queries, keys: queries + extra });
          const selection = selectAShape(head, {
            blockQueries: block,
            blockKeys: block,
            sinkTokens,
            windowTokens,
          });
          const mask = selectionMask(head, selection);
          for (let q = 0; q < queries; q++) {
            for (let k = 0; k < head.keys; k++) {
              const distance = extra + q - k;
              const isSeen = distance >= 0 && (k < sinkTokens || distance < windowTokens);
              expect(mask(q, k)).toBe(isSeen);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('vertical-slash', () => {
  const options = { blockQueries: 16, blockKeys: 16, columns: 1, diagonals: 1, ...NO_FORCED };

  it('finds a planted column and a planted diagonal with one line each', () => {
    const head = plantedLines(() => true);
    const { lines } = selectVerticalSlash(head, options);
    expect(lines?.columns.indexOf(1)).toBe(21);
    expect(lines?.diagonals.indexOf(1)).toBe(37);
  });

  it('loses a column that the last queries ignore', () => {
    const head = plantedLines((q) => q < 100);
    const { lines } = selectVerticalSlash(head, options);
    expect(lines?.columns[21]).toBe(0);
  });

  it('forced lines count towards the budget and are kept above it', () => {
    const head = plantedLines(() => true);
    const count = (flags: Uint8Array | undefined) => flags?.reduce((a, b) => a + b, 0);
    const { lines } = selectVerticalSlash(head, { ...options, columns: 40, diagonals: 60 });
    expect(count(lines?.columns)).toBe(40);
    expect(count(lines?.diagonals)).toBe(60);
    const forced = selectVerticalSlash(head, {
      blockQueries: 16,
      blockKeys: 16,
      columns: 10,
      diagonals: 10,
    });
    expect(count(forced.lines?.columns)).toBe(30);
    expect(count(forced.lines?.diagonals)).toBe(100);
    expect([...(forced.lines?.columns.subarray(0, 30) ?? [])].every((x) => x === 1)).toBe(true);
  });

  it('greedy cover needs two lines where two lines hold the mass, and reaches any share', () => {
    const head = plantedLines(() => true);
    const { lines } = selectLineCover(head, {
      blockQueries: 16,
      blockKeys: 16,
      share: 0.9,
      ...NO_FORCED,
    });
    expect(lines?.columns.reduce((a, b) => a + b, 0)).toBe(1);
    expect(lines?.diagonals.reduce((a, b) => a + b, 0)).toBe(1);

    const noise = randomHead({ queries: 30, keys: 50, spread: 1.5, seed: 9 });
    const window = windowScores(noise, 12);
    for (const share of [0.3, 0.8, 0.99]) {
      const none = { columns: new Uint8Array(50), diagonals: new Uint8Array(50) };
      const cover = coverWithLines(noise, window, share, none);
      let covered = 0;
      denseProbabilities(noise)
        .slice(-12)
        .forEach((row, r) => {
          row.forEach((p, k) => {
            const distance = 50 - 12 + r - k;
            if (cover.columns[k] === 1 || cover.diagonals[distance] === 1) covered += p / 12;
          });
        });
      expect(covered).toBeGreaterThanOrEqual(share - 1e-6);
      expect(covered).toBeLessThan(share + 0.2);
    }
  });

  it('by columns alone is the fewest tokens whose attention covers the share', () => {
    const head = randomHead({ queries: 30, keys: 50, spread: 1.5, seed: 9 });
    const window = windowScores(head, 12);
    const none = { columns: new Uint8Array(50), diagonals: new Uint8Array(50) };
    const sums = Array.from({ length: 50 }, (_, k) =>
      denseProbabilities(head)
        .slice(-12)
        .reduce((sum, row) => sum + row[k]! / 12, 0),
    ).sort((a, b) => b - a);
    for (const share of [0.3, 0.8, 0.99]) {
      const cover = coverWithLines(head, window, share, none, 'columns');
      let [fewest, covered] = [0, 0];
      while (covered < share) covered += sums[fewest++]!;
      expect(cover.columns.reduce((a, b) => a + b, 0)).toBe(fewest);
      expect(cover.diagonals.reduce((a, b) => a + b, 0)).toBe(0);
    }
  });
});

describe('flexprefill', () => {
  it('distance is 0 for equal distributions, sqrt(ln 2) for disjoint ones, and symmetric', () => {
    const p = Float64Array.of(0.5, 0.5, 0);
    const q = Float64Array.of(0, 0, 1);
    const r = Float64Array.of(0.2, 0.3, 0.5);
    expect(jensenShannonDistance(p, p)).toBe(0);
    expect(jensenShannonDistance(p, q)).toBeCloseTo(Math.sqrt(Math.LN2), 12);
    expect(jensenShannonDistance(p, r)).toBeCloseTo(jensenShannonDistance(r, p), 12);
  });

  it('is query-aware where pooling is exact, vertical-slash where a lone key hides in its block', () => {
    const spec = { queries: 64, keys: 64, causal: false, seed: 4 };
    const smooth = randomHead(spec);
    for (let t = 0; t < 64; t++) {
      const first = t - (t % 8);
      smooth.key.copyWithin(t * 8, first * 8, first * 8 + 8);
      smooth.query.copyWithin(t * 8, first * 8, first * 8 + 8);
    }
    const options = { blockTokens: 8, minBudgetTokens: 0, lineUnit: 'token' } as const;
    const means = meanPool(smooth.key, 64, 8, 8);
    expect(flexPrefillDistance(smooth, windowScores(smooth, 8), means, 8)).toBeLessThan(1e-3);
    expect(selectFlexPrefill(smooth, options).pattern).toBe('query-aware');

    const needle = plantedLines(() => true);
    const lines = selectFlexPrefill(needle, { ...options, gamma: 0.4 });
    expect(lines.pattern).toBe('vertical-slash');
    expect(lines.lines?.columns[21]).toBe(1);
    expect(lines.lines?.diagonals[37]).toBe(1);
    expect(lines.lines?.diagonals[0]).toBe(1);
  });

  it('a query-aware head keeps the best entries of the whole map below gamma, and forced lines', () => {
    for (const seed of [31, 32, 33, 34]) checkQueryAware(seed);
  });

  function checkQueryAware(seed: number) {
    const head = randomHead({ queries: 64, keys: 64, spread: 1.5, seed });
    const queryMeans = meanPool(head.query, 64, 8, 8);
    const keyMeans = meanPool(head.key, 64, 8, 8);
    const entries = Array.from({ length: 8 }, (_, i) => {
      const weights = Array.from({ length: i + 1 }, (_, j) => {
        let score = 0;
        for (let d = 0; d < 8; d++)
          score += (queryMeans[i * 8 + d] as number) * (keyMeans[j * 8 + d] as number);
        return Math.exp(score / Math.sqrt(8));
      });
      const sum = weights.reduce((a, b) => a + b, 0);
      return weights.map((weight, j) => ({ i, j, share: weight / sum }));
    }).flat();
    entries.sort((a, b) => b.share - a.share);
    for (const gamma of [0.2, 0.5, 0.8]) {
      const expected = new Set<string>();
      for (let i = 0; i < 8; i++) expected.add(`${i} 0`).add(`${i} ${i}`);
      let covered = 0;
      for (const { i, j, share } of entries) {
        covered += share;
        if (covered > 8 * gamma) break;
        expected.add(`${i} ${j}`);
      }
      const options = {
        blockTokens: 8,
        gamma,
        tau: 2,
        minBudgetTokens: 0,
        lineUnit: 'block',
      } as const;
      const selection = selectFlexPrefill(head, options);
      const found = Array.from({ length: 8 }, (_, i) =>
        rowOf(selection, i).map((j) => `${i} ${j}`),
      ).flat();
      expect(new Set(found)).toEqual(expected);
    }
  }

  it('keeps the minimum budget of lines, rounded up to blocks', () => {
    const head = plantedLines(() => true);
    const options = { blockTokens: 8, gamma: 1e-9, tau: 0, minBudgetTokens: 20 } as const;
    const { lines } = selectFlexPrefill(head, { ...options, lineUnit: 'token' });
    expect(lines?.columns.reduce((a, b) => a + b, 0)).toBe(24);
    expect(lines?.diagonals.reduce((a, b) => a + b, 0)).toBe(24);
    // Block columns 0, 2 (key 21) and one more; block diagonals 0, 4 (distance 37) and one more.
    const row = rowOf(selectFlexPrefill(head, { ...options, lineUnit: 'block' }), 15);
    expect(row.length).toBeGreaterThanOrEqual(5);
    expect(row.length).toBeLessThanOrEqual(6);
    expect(row).toEqual(expect.arrayContaining([0, 2, 11, 15]));
  });

  it('a larger gamma keeps a superset of pairs', () => {
    const head = randomHead({ queries: 80, keys: 80, spread: 1.5, seed: 6 });
    for (const tau of [0, 2]) {
      for (const lineUnit of ['token', 'block'] as const) {
        const masks = [0.3, 0.6, 0.95].map((gamma) =>
          selectionMask(
            head,
            selectFlexPrefill(head, { blockTokens: 8, gamma, tau, minBudgetTokens: 0, lineUnit }),
          ),
        );
        for (let q = 0; q < 80; q++)
          for (let k = 0; k < 80; k++)
            for (let g = 1; g < masks.length; g++)
              if (masks[g - 1]?.(q, k)) expect(masks[g]?.(q, k)).toBe(true);
      }
    }
  });
});
