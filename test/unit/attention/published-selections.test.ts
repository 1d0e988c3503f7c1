import { describe, expect, it } from 'vitest';
import { makeInputs } from '../../../lib/attention/inputs';
import { selectAShape } from '../../../lib/attention/select/a-shape';
import { selectBlockSparse } from '../../../lib/attention/select/block-sparse';
import { maskedOutputError, selectionStats } from '../../../lib/attention/select/evaluate';
import { flexPrefillDistance, selectFlexPrefill } from '../../../lib/attention/select/flexprefill';
import { selectHip } from '../../../lib/attention/select/hip';
import { selectOracle } from '../../../lib/attention/select/oracle';
import { selectLserve, selectQuest } from '../../../lib/attention/select/quest';
import { selectSale } from '../../../lib/attention/select/sale';
import { meanPool } from '../../../lib/attention/select/summaries';
import type { HeadTensors, Selection } from '../../../lib/attention/select/types';
import { selectVerticalSlash } from '../../../lib/attention/select/vertical-slash';
import { windowScores } from '../../../lib/attention/select/window-scores';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { denseProbabilities, randomHead } from './select-cases';

// The check that a reader of each paper would ask for first, at lengths scaled down with it.

const TOKENS = 256;

/** One head of the page's own structured inputs. */
function structuredHead(structure: object, seed = 1): HeadTensors {
  const shape = {
    batch: 1,
    queryHeads: 1,
    kvHeads: 1,
    queries: TOKENS,
    keys: TOKENS,
    headSize: 64,
  };
  const made = makeInputs(attentionParams.parse({ shape, structure, seed }));
  const { query, key, value } = made;
  return { queries: TOKENS, keys: TOKENS, causal: true, headSize: 64, query, key, value };
}

const NONE = {
  bandStrength: 0,
  sinkStrength: 0,
  inductionStrength: 0,
  needleStrength: 0,
};
const LOCAL = structuredHead({ ...NONE, bandStrength: 8, sinkStrength: 7 });
const STRIPED = structuredHead({ ...NONE, sinkStrength: 5, inductionStrength: 9 });

const judge = (head: HeadTensors, selection: Selection) => ({
  ...selectionStats(head, selection),
  outputError: maskedOutputError(head, selection),
});

describe('minference: mass and error over density, per pattern', () => {
  const lines = { windowQueries: 16, forcedColumns: 2, forcedDiagonals: 4 };
  const blocks = { blockQueries: 16, blockKeys: 16 };
  const patterns: Readonly<Record<string, (h: HeadTensors, budget: number) => Selection>> = {
    'a-shape': (h, n) => selectAShape(h, { ...blocks, sinkTokens: 4, windowTokens: 8 * n }),
    'vertical-slash': (h, n) =>
      selectVerticalSlash(h, { ...blocks, ...lines, columns: 4 * n, diagonals: 8 * n }),
    block: (h, n) => selectBlockSparse(h, { ...blocks, topBlocks: n }),
  };

  it.each(Object.keys(patterns))('%s: a larger budget keeps more, of mass as of pairs', (name) => {
    for (const head of [LOCAL, STRIPED]) {
      const found = [1, 2, 4, 8, 16].map((n) => judge(head, patterns[name]!(head, n)));
      for (let i = 1; i < found.length; i++) {
        expect(found[i]!.density).toBeGreaterThanOrEqual(found[i - 1]!.density);
        expect(found[i]!.massRecall).toBeGreaterThanOrEqual(found[i - 1]!.massRecall - 1e-12);
      }
      expect(found.at(-1)!.outputError).toBeLessThan(found[0]!.outputError);
    }
  });

  it('lines hold the mass of a striped head where sinks and a window of equal size do not', () => {
    const slash = judge(STRIPED, patterns['vertical-slash']!(STRIPED, 4));
    const shape = judge(STRIPED, patterns['a-shape']!(STRIPED, 16));
    expect(shape.density).toBeGreaterThan(slash.density);
    expect(slash.massRecall).toBeGreaterThan(shape.massRecall + 0.1);
    expect(slash.outputError).toBeLessThan(shape.outputError);
  });
});

describe('flexprefill: the budget is a result', () => {
  const choose = (head: HeadTensors, gamma: number) =>
    selectFlexPrefill(head, {
      blockTokens: 16,
      gamma,
      tau: 0,
      minBudgetTokens: 16,
      lineUnit: 'token',
    });

  it('density grows with gamma, and a head with little structure takes more of it', () => {
    const plain = structuredHead(NONE);
    for (const head of [LOCAL, STRIPED, plain]) {
      const densities = [0.5, 0.7, 0.9, 0.95, 1].map(
        (gamma) => selectionStats(head, choose(head, gamma)).density,
      );
      expect(densities).toEqual([...densities].sort((a, b) => a - b));
      expect(densities.at(-1)).toBe(1);
    }
    const density = (head: HeadTensors) => selectionStats(head, choose(head, 0.9)).density;
    expect(density(plain)).toBeGreaterThan(1.5 * density(LOCAL));
  });

  it('tells heads apart by how well pooled keys predict the attention to their blocks', () => {
    const distance = (head: HeadTensors) =>
      flexPrefillDistance(head, windowScores(head, 16), meanPool(head.key, TOKENS, 64, 16), 16);
    const flat = structuredHead(NONE);
    // One heavy key per block is what a mean of sixteen hides.
    const spiky = randomHead({ queries: TOKENS, keys: TOKENS, headSize: 64, spread: 0.3 });
    for (let q = 0; q < TOKENS; q++) spiky.query[q * 64] = 8;
    for (let k = 5; k < TOKENS; k += 64) spiky.key[k * 64] = 16;
    expect(distance(flat)).toBeLessThan(distance(spiky));
    expect(distance(spiky)).toBeGreaterThan(0.1);
  });

  it('at its own density holds about as much as lines of a fixed budget, without being told it', () => {
    const own = judge(STRIPED, choose(STRIPED, 0.9));
    const fixed = [1, 2, 4, 8, 16, 32]
      .map((n) =>
        judge(
          STRIPED,
          selectVerticalSlash(STRIPED, {
            blockQueries: 16,
            blockKeys: 16,
            windowQueries: 16,
            forcedColumns: 16,
            forcedDiagonals: 1,
            columns: 4 * n,
            diagonals: 4 * n,
          }),
        ),
      )
      .filter(({ density }) => density <= own.density);
    expect(fixed.length).toBeGreaterThan(0);
    for (const each of fixed) expect(own.massRecall).toBeGreaterThan(each.massRecall - 0.02);
  });
});

describe('sale: bits of the estimate', () => {
  const headOf = (seed: number) =>
    randomHead({ queries: 128, keys: 128, headSize: 32, seed, spread: 1 });
  const HEAD = headOf(4);
  const blocks = { blockQueries: 8, blockKeys: 4 };
  const forced = { sinkTokens: 4, windowTokens: 16 };
  const choose = (bits: number, threshold: number, head = HEAD) =>
    selectSale(head, { ...blocks, ...forced, bits, threshold });
  const pairsOf = ({ offsets, blocks: kept, queryBlocks }: Selection) =>
    new Set(
      Array.from({ length: queryBlocks }, (_, i) =>
        [...kept.subarray(offsets[i], offsets[i + 1])].map((j) => `${i} ${j}`),
      ).flat(),
    );

  it('the fewer bits, the more blocks are lost or kept in vain', () => {
    let decided = 0;
    const wrong = [0, 0, 0];
    for (const head of [1, 2, 3, 4].map(headOf)) {
      const truth = pairsOf(choose(8, 0.2, head));
      decided += truth.size - pairsOf(choose(8, 1, head)).size;
      for (const [i, bits] of [4, 3, 2].entries()) {
        const found = pairsOf(choose(bits, 0.2, head));
        const common = [...found].filter((pair) => truth.has(pair)).length;
        wrong[i]! += truth.size + found.size - 2 * common;
      }
    }
    const [four, three, two] = wrong as [number, number, number];
    expect(four).toBeLessThan(decided / 4);
    expect(three).toBeGreaterThan(four);
    expect(two).toBeGreaterThan(three);
  });

  it('four bits of every token find more mass than pooled blocks at the same density', () => {
    const fine = judge(HEAD, choose(4, 0.3));
    for (const topBlocks of [1, 2, 4, 6, 8, 10, 12, 14, 16]) {
      const pooled = judge(HEAD, selectBlockSparse(HEAD, { ...blocks, topBlocks }));
      if (pooled.density > fine.density) break;
      expect(fine.massRecall).toBeGreaterThan(pooled.massRecall);
    }
    const all = judge(HEAD, selectBlockSparse(HEAD, { ...blocks, topBlocks: 32 }));
    expect(all.density).toBeGreaterThan(fine.density);
  });
});

describe('hip: what a tree search finds for the keys that it scores', () => {
  const blocks = { blockQueries: 8, blockKeys: 2 };
  const search = (head: HeadTensors, keptTokens: number) =>
    selectHip(head, {
      ...blocks,
      keptTokens,
      windowTokens: 0,
      sinkTokens: 0,
      representative: 'centre',
      queryReduce: 'max',
    });
  /** As many blocks per query block as the search keeps, and every pair scored. */
  const exact = (head: HeadTensors, keptTokens: number) =>
    selectOracle(head, { ...blocks, budget: { type: 'top-k', blocks: keptTokens / 2 } });
  const scoredShare = (head: HeadTensors, selection: Selection) =>
    selection.selectionFlops / (2 * head.headSize) / selectionStats(head, selection).visiblePairs;

  it('on local attention comes near to exact top-k and far above blocks by chance', () => {
    const head = structuredHead({ ...NONE, bandStrength: 9, bandWidthTokens: 24 });
    const found = search(head, 32);
    const recall = selectionStats(head, found).massRecall;
    const best = selectionStats(head, exact(head, 32)).massRecall;
    const chance = selectionStats(head, found).density;
    expect(scoredShare(head, found)).toBeLessThan(0.75);
    expect(recall).toBeGreaterThan(0.8 * best);
    expect(recall).toBeGreaterThan(1.5 * chance);
    expect(recall).toBeLessThanOrEqual(best + 1e-12);
  });

  it('loses a lone key away from the centre of its chunk, which page bounds find', () => {
    const head = randomHead({ queries: TOKENS, keys: TOKENS, headSize: 16, spread: 0.2 });
    for (let q = 0; q < TOKENS; q++) head.query[q * 16] = 6;
    head.key[101 * 16] = 12;
    const last = (selection: Selection) => {
      const { offsets, blocks: kept, queryBlocks, blockKeys } = selection;
      const row = kept.subarray(offsets[queryBlocks - 1], offsets[queryBlocks]);
      return row.includes(Math.floor(101 / blockKeys));
    };
    const pages = selectQuest(head, {
      blockQueries: 8,
      pageTokens: 8,
      budgetTokens: 16,
      sinkTokens: 0,
      recentTokens: 0,
    });
    expect(last(search(head, 16))).toBe(false);
    expect(last(pages)).toBe(true);
    expect(last(exact(head, 16))).toBe(true);
  });
});

describe('lserve: the width of a page', () => {
  const head = randomHead({ queries: 64, keys: 512, headSize: 16, seed: 9, spread: 1.5 });
  const probabilities = denseProbabilities(head);
  const options = { blockQueries: 1, budgetTokens: 64, sinkTokens: 0, recentTokens: 0 };
  /** Share of every query's 16 heaviest keys that its pages hold. */
  const recall = ({ offsets, blocks, blockKeys }: Selection) => {
    let found = 0;
    probabilities.forEach((row, q) => {
      const heaviest = row.map((p, k) => [p, k] as const).sort((a, b) => b[0] - a[0]);
      const kept = blocks.subarray(offsets[q], offsets[q + 1]);
      for (const [, k] of heaviest.slice(0, 16)) {
        if (kept.includes(Math.floor(k / blockKeys))) found++;
      }
    });
    return found / (16 * probabilities.length);
  };

  it('loses true top keys at one budget, and bounds on parts of a page win some back', () => {
    const widths = [4, 8, 16, 32];
    const plain = widths.map((pageTokens) => recall(selectQuest(head, { ...options, pageTokens })));
    for (let i = 1; i < plain.length; i++) expect(plain[i]).toBeLessThan(plain[i - 1]!);
    for (const [i, pageTokens] of widths.entries()) {
      if (pageTokens <= 4) continue;
      const parts = recall(selectLserve(head, { ...options, pageTokens, subPageTokens: 4 }));
      expect(parts).toBeGreaterThan(plain[i]!);
    }
  });
});
