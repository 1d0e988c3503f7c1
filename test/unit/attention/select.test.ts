import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectAShape } from '../../../lib/attention/select/a-shape';
import { antidiagonalMass, reverseGroups } from '../../../lib/attention/select/antidiagonal-scores';
import { selectBlockSparse } from '../../../lib/attention/select/block-sparse';
import {
  maskedOutputError,
  selectionMask,
  selectionStats,
} from '../../../lib/attention/select/evaluate';
import { flexPrefillDistance, selectFlexPrefill } from '../../../lib/attention/select/flexprefill';
import { makeGrid } from '../../../lib/attention/select/grid';
import { selectHip } from '../../../lib/attention/select/hip';
import { coverWithLines } from '../../../lib/attention/select/line-cover';
import { channelMeans, quantiseTokens } from '../../../lib/attention/select/low-bit';
import { selectMoba } from '../../../lib/attention/select/moba';
import { selectNsa } from '../../../lib/attention/select/nsa';
import { selectOracle } from '../../../lib/attention/select/oracle';
import { pageUpperBound, splitQuery } from '../../../lib/attention/select/page-scores';
import { MINFERENCE_CANDIDATES, searchPattern } from '../../../lib/attention/select/pattern-search';
import { selectPbs, sortSegments } from '../../../lib/attention/select/pbs';
import { jensenShannonDistance } from '../../../lib/attention/select/pooled-scores';
import { selectLserve, selectQuest } from '../../../lib/attention/select/quest';
import { selectSale } from '../../../lib/attention/select/sale';
import { addTopK, addTopP } from '../../../lib/attention/select/selectors';
import {
  meanPool,
  pageBounds,
  representativeToken,
  slidingMeans,
} from '../../../lib/attention/select/summaries';
import { treeSearch } from '../../../lib/attention/select/tree-search';
import type { HeadTensors, Selection } from '../../../lib/attention/select/types';
import { selectLineCover, selectVerticalSlash } from '../../../lib/attention/select/vertical-slash';
import { windowScores } from '../../../lib/attention/select/window-scores';
import { selectXAttention } from '../../../lib/attention/select/xattention';
import { createRandom } from '../../../lib/random/random';

interface HeadSpec {
  readonly queries: number;
  readonly keys: number;
  readonly causal?: boolean;
  readonly headSize?: number;
  readonly seed?: number;
  /** Spread of the entries: larger makes the attention peakier. */
  readonly spread?: number;
}

function randomHead(spec: HeadSpec): HeadTensors {
  const { queries, keys, causal = true, headSize = 8, seed = 1, spread = 1 } = spec;
  const random = createRandom(seed);
  const normals = (tokens: number, factor: number) =>
    Float32Array.from({ length: tokens * headSize }, () => factor * random.normal());
  return {
    queries,
    keys,
    causal,
    headSize,
    query: normals(queries, spread),
    key: normals(keys, spread),
    value: normals(keys, 1),
  };
}

/** Probabilities [queries][keys] by the definition; a query that sees nothing has zeros. */
function denseProbabilities(head: HeadTensors): number[][] {
  const { queries, keys, headSize } = head;
  return Array.from({ length: queries }, (_, q) => {
    const position = keys - queries + q;
    const weights = Array.from({ length: keys }, (_, k) => {
      if (head.causal && k > position) return 0;
      let score = 0;
      for (let d = 0; d < headSize; d++)
        score += (head.query[q * headSize + d] as number) * (head.key[k * headSize + d] as number);
      return Math.exp(score / Math.sqrt(headSize));
    });
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => (sum === 0 ? 0 : weight / sum));
  });
}

const rowOf = (selection: Selection, i: number) => [
  ...selection.blocks.subarray(selection.offsets[i], selection.offsets[i + 1]),
];

/** Every preset at blocks of 8 or so, with a small budget. */
const SMALL: Readonly<Record<string, (head: HeadTensors) => Selection>> = {
  'a-shape': (h) =>
    selectAShape(h, { blockQueries: 8, blockKeys: 8, sinkTokens: 3, windowTokens: 11 }),
  'vertical-slash': (h) =>
    selectVerticalSlash(h, {
      blockQueries: 8,
      blockKeys: 4,
      columns: 6,
      diagonals: 7,
      windowQueries: 8,
      forcedColumns: 2,
      forcedDiagonals: 3,
    }),
  'line cover': (h) =>
    selectLineCover(h, {
      blockQueries: 4,
      blockKeys: 8,
      share: 0.6,
      windowQueries: 8,
      forcedColumns: 1,
      forcedDiagonals: 2,
    }),
  'block-sparse': (h) => selectBlockSparse(h, { blockQueries: 8, blockKeys: 8, topBlocks: 2 }),
  'flexprefill lines': (h) =>
    selectFlexPrefill(h, {
      blockTokens: 8,
      gamma: 0.5,
      tau: 0,
      minBudgetTokens: 0,
      lineUnit: 'token',
    }),
  'flexprefill block lines': (h) =>
    selectFlexPrefill(h, {
      blockTokens: 8,
      gamma: 0.5,
      tau: 0,
      minBudgetTokens: 0,
      lineUnit: 'block',
    }),
  'flexprefill query-aware': (h) =>
    selectFlexPrefill(h, {
      blockTokens: 8,
      gamma: 0.5,
      tau: 2,
      minBudgetTokens: 0,
      lineUnit: 'block',
    }),
  sale: (h) =>
    selectSale(h, {
      blockQueries: 8,
      blockKeys: 4,
      sinkTokens: 2,
      windowTokens: 8,
      threshold: 0.2,
    }),
  pbs: (h) => selectPbs(h, { blockTokens: 4, segmentTokens: 16, share: 0.9 }),
  hip: (h) =>
    selectHip(h, {
      blockQueries: 8,
      blockKeys: 2,
      keptTokens: 8,
      windowTokens: 4,
      sinkTokens: 2,
      representative: 'centre',
      queryReduce: 'max',
    }),
  'hip mean': (h) =>
    selectHip(h, {
      blockQueries: 8,
      blockKeys: 2,
      keptTokens: 8,
      windowTokens: 0,
      sinkTokens: 0,
      representative: 'first',
      queryReduce: 'mean',
    }),
  quest: (h) =>
    selectQuest(h, {
      blockQueries: 1,
      pageTokens: 4,
      budgetTokens: 20,
      sinkTokens: 1,
      recentTokens: 4,
    }),
  lserve: (h) =>
    selectLserve(h, {
      blockQueries: 4,
      pageTokens: 8,
      subPageTokens: 2,
      budgetTokens: 16,
      sinkTokens: 0,
      recentTokens: 0,
    }),
  xattention: (h) => selectXAttention(h, { blockTokens: 8, stride: 4, share: 0.5 }),
  moba: (h) => selectMoba(h, { blockTokens: 8, topBlocks: 2, blockQueries: 1 }),
  nsa: (h) =>
    selectNsa(h, {
      compressTokens: 4,
      compressStride: 2,
      blockTokens: 8,
      topBlocks: 3,
      initialTokens: 1,
      localTokens: 1,
      windowTokens: 5,
      blockQueries: 2,
    }),
  'oracle top-k': (h) =>
    selectOracle(h, { blockQueries: 8, blockKeys: 8, budget: { type: 'top-k', blocks: 2 } }),
  'oracle top-p': (h) =>
    selectOracle(h, { blockQueries: 8, blockKeys: 8, budget: { type: 'top-p', share: 0.5 } }),
};

const ALL = 1 << 20;
/** The same with a budget of everything: a large k, a share of 1 or a threshold near 0. */
const FULL: typeof SMALL = {
  'a-shape': (h) =>
    selectAShape(h, { blockQueries: 8, blockKeys: 8, sinkTokens: ALL, windowTokens: 0 }),
  window: (h) =>
    selectAShape(h, { blockQueries: 8, blockKeys: 8, sinkTokens: 0, windowTokens: ALL }),
  'vertical-slash': (h) =>
    selectVerticalSlash(h, { blockQueries: 8, blockKeys: 4, columns: ALL, diagonals: 0 }),
  'line cover at 1': (h) =>
    selectLineCover(h, {
      blockQueries: 4,
      blockKeys: 8,
      share: 1,
      windowQueries: 8,
      forcedColumns: 0,
      forcedDiagonals: 0,
    }),
  'block-sparse': (h) => selectBlockSparse(h, { blockQueries: 8, blockKeys: 8, topBlocks: ALL }),
  ...Object.fromEntries(
    (['token', 'block'] as const).flatMap((lineUnit) =>
      [0, 2].map((tau) => [
        `flexprefill at 1, ${lineUnit}, tau ${tau}`,
        (h: HeadTensors) =>
          selectFlexPrefill(h, { blockTokens: 8, gamma: 1, tau, minBudgetTokens: 0, lineUnit }),
      ]),
    ),
  ),
  sale: (h) =>
    selectSale(h, {
      blockQueries: 8,
      blockKeys: 4,
      sinkTokens: 1,
      windowTokens: 1,
      threshold: 1e-300,
    }),
  'pbs at 1': (h) => selectPbs(h, { blockTokens: 4, segmentTokens: 16, share: 1 }),
  hip: (h) =>
    selectHip(h, {
      blockQueries: 8,
      blockKeys: 2,
      keptTokens: ALL,
      windowTokens: 0,
      sinkTokens: 0,
      representative: 'centre',
      queryReduce: 'mean',
    }),
  quest: (h) =>
    selectQuest(h, {
      blockQueries: 8,
      pageTokens: 4,
      budgetTokens: ALL,
      sinkTokens: 0,
      recentTokens: 0,
    }),
  lserve: (h) =>
    selectLserve(h, {
      blockQueries: 1,
      pageTokens: 8,
      subPageTokens: 4,
      budgetTokens: ALL,
      sinkTokens: 0,
      recentTokens: 0,
    }),
  'xattention at 1': (h) => selectXAttention(h, { blockTokens: 8, stride: 4, share: 1 }),
  moba: (h) => selectMoba(h, { blockTokens: 8, topBlocks: ALL, blockQueries: 4 }),
  nsa: (h) =>
    selectNsa(h, {
      compressTokens: 4,
      compressStride: 4,
      blockTokens: 8,
      topBlocks: ALL,
      initialTokens: 0,
      localTokens: 0,
      windowTokens: 0,
      blockQueries: 8,
    }),
  'oracle top-k': (h) =>
    selectOracle(h, { blockQueries: 8, blockKeys: 8, budget: { type: 'top-k', blocks: ALL } }),
  'oracle top-p at 1': (h) =>
    selectOracle(h, { blockQueries: 8, blockKeys: 8, budget: { type: 'top-p', share: 1 } }),
};

const isCausalOnly = (name: string) => name.startsWith('pbs');
/** Diagonals never reach keys after the query, so a window alone cannot be dense without causality. */
const isDenseWithoutCausality = (name: string) => !isCausalOnly(name) && name !== 'window';

const SHAPES = [
  { queries: 64, keys: 64 },
  { queries: 1, keys: 65 },
  { queries: 63, keys: 63 },
  { queries: 65, keys: 65 },
  { queries: 7, keys: 61 },
  { queries: 33, keys: 90 },
  { queries: 20, keys: 13 },
  { queries: 1, keys: 1 },
];

describe('full budget', () => {
  it.each(Object.keys(FULL))('%s is dense: every causal block, no error', (name) => {
    for (const shape of SHAPES) {
      for (const causal of isDenseWithoutCausality(name) ? [true, false] : [true]) {
        // Scores far apart underflow to 0: share 1 must still keep them.
        const head = randomHead({ ...shape, causal, spread: 6 });
        const selection = (FULL[name] as (h: HeadTensors) => Selection)(head);
        const where = `${name} ${JSON.stringify(shape)} causal ${causal}`;
        const stats = selectionStats(head, selection);
        expect(stats.keptPairs, where).toBe(stats.visiblePairs);
        expect(stats.massRecall, where).toBeCloseTo(1, 12);
        expect(maskedOutputError(head, selection), where).toBe(0);
        if (selection.keyOrder !== undefined) continue;
        for (let i = 0; i < selection.queryBlocks; i++) {
          const lastQuery = Math.min(head.queries, (i + 1) * selection.blockQueries) - 1;
          const end = causal ? Math.max(0, head.keys - head.queries + lastQuery + 1) : head.keys;
          const visible = Math.ceil(end / selection.blockKeys);
          expect(rowOf(selection, i), where).toEqual(Array.from({ length: visible }, (_, j) => j));
        }
      }
    }
  });
});

describe('every preset', () => {
  const spec = fc.record({
    queries: fc.oneof(fc.constantFrom(1, 63, 65), fc.integer({ min: 1, max: 70 })),
    extraKeys: fc.oneof(fc.constant(0), fc.integer({ min: -10, max: 60 })),
    causal: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1e6 }),
    spread: fc.constantFrom(0, 0.5, 3),
  });

  it.each(Object.keys(SMALL))('%s gives valid, causal, ascending CSR', (name) => {
    fc.assert(
      fc.property(spec, ({ extraKeys, causal, ...rest }) => {
        const keys = Math.max(1, rest.queries + extraKeys);
        const head = randomHead({ ...rest, keys, causal: causal || isCausalOnly(name) });
        const selection = (SMALL[name] as (h: HeadTensors) => Selection)(head);
        const { offsets, blocks, queryBlocks, keyBlocks, blockKeys, keyOrder } = selection;
        expect(queryBlocks).toBe(Math.ceil(head.queries / selection.blockQueries));
        expect(keyBlocks).toBe(Math.ceil(keys / blockKeys));
        expect(offsets.length).toBe(queryBlocks + 1);
        expect(offsets[0]).toBe(0);
        expect(offsets[queryBlocks]).toBe(blocks.length);
        expect(selection.selectionFlops).toBeGreaterThanOrEqual(0);
        if (keyOrder) expect([...keyOrder].sort((a, b) => a - b)).toEqual([...keyOrder.keys()]);
        const mask = selectionMask(head, selection);
        for (let i = 0; i < queryBlocks; i++) {
          const row = rowOf(selection, i);
          const first = i * selection.blockQueries;
          const end = Math.min(head.queries, first + selection.blockQueries);
          const lastPosition = keys - head.queries + end - 1;
          row.forEach((j, e) => {
            expect(j).toBeGreaterThan(row[e - 1] ?? -1);
            expect(j).toBeLessThan(keyBlocks);
            const slots = Array.from(
              { length: Math.min(keys, (j + 1) * blockKeys) - j * blockKeys },
              (_, s) => j * blockKeys + s,
            );
            const keysOfBlock = slots.map((slot) => keyOrder?.[slot] ?? slot);
            if (head.causal) expect(Math.min(...keysOfBlock)).toBeLessThanOrEqual(lastPosition);
            // Whole blocks and crossed lines alike: no block is kept for nothing.
            const rows = Array.from({ length: end - first }, (_, r) => first + r);
            expect(rows.some((q) => keysOfBlock.some((k) => mask(q, k)))).toBe(true);
          });
        }
        for (let q = 0; q < head.queries; q++)
          for (let k = 0; k < keys; k++)
            if (head.causal && k > keys - head.queries + q) expect(mask(q, k)).toBe(false);
        const stats = selectionStats(head, selection);
        expect(stats.massRecall).toBeLessThanOrEqual(1 + 1e-12);
        expect(stats.keptPairs).toBeLessThanOrEqual(stats.visiblePairs);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps a block that every query wants', () => {
    // Keys 24..31 point where all queries point; the others are noise.
    const head = randomHead({ queries: 96, keys: 96, headSize: 16, seed: 3 });
    for (let q = 0; q < 96; q++) head.query[q * 16] = 6;
    for (let k = 0; k < 96; k++) head.key[k * 16] = k >= 24 && k < 32 ? 6 : 0;
    // Six columns cannot hold eight keys; half of them, or of the whole map, is what gamma 0.5 asks;
    // a tree search sees one key of eight.
    const isPartial = (name: string) => /a-shape|vertical|line|flexprefill|hip/.test(name);
    for (const [name, select] of Object.entries(SMALL)) {
      if (isPartial(name)) continue;
      const mask = selectionMask(head, select(head));
      for (let q = 31; q < 96; q++)
        for (let k = 24; k < 32; k++) expect(mask(q, k), `${name} ${q} ${k}`).toBe(true);
    }
    const local = selectionMask(head, SMALL['a-shape']?.(head) as Selection);
    expect(local(80, 27)).toBe(false);
  });
});

describe('forced sets', () => {
  const nothing = { blockTokens: 8, gamma: 1e-9, minBudgetTokens: 0 };
  const presets: Readonly<Record<string, (head: HeadTensors) => Selection>> = {
    xattention: (h) => selectXAttention(h, { blockTokens: 8, stride: 4, share: 1e-9 }),
    pbs: (h) => selectPbs(h, { blockTokens: 4, segmentTokens: 8, share: 1e-9 }),
    'flexprefill token': (h) => selectFlexPrefill(h, { ...nothing, tau: 0, lineUnit: 'token' }),
    'flexprefill block': (h) => selectFlexPrefill(h, { ...nothing, tau: 0, lineUnit: 'block' }),
    'flexprefill map': (h) => selectFlexPrefill(h, { ...nothing, tau: 2, lineUnit: 'block' }),
    sale: (h) =>
      selectSale(h, {
        blockQueries: 8,
        blockKeys: 4,
        sinkTokens: 1,
        windowTokens: 1,
        threshold: 1,
      }),
    hip: (h) =>
      selectHip(h, {
        blockQueries: 8,
        blockKeys: 2,
        keptTokens: 2,
        windowTokens: 1,
        sinkTokens: 1,
        representative: 'centre',
        queryReduce: 'max',
      }),
    quest: (h) =>
      selectQuest(h, {
        blockQueries: 1,
        pageTokens: 4,
        budgetTokens: 4,
        sinkTokens: 1,
        recentTokens: 1,
      }),
  };

  it.each(Object.keys(presets))('%s keeps key 0 and the diagonal at the least budget', (name) => {
    for (const seed of [1, 2, 3]) {
      for (const keys of [65, 80]) {
        const head = randomHead({ queries: 65, keys, seed, spread: 2 });
        const selection = (presets[name] as (h: HeadTensors) => Selection)(head);
        const mask = selectionMask(head, selection);
        for (let q = 0; q < 65; q++) {
          expect(mask(q, 0), `${q} 0`).toBe(true);
          expect(mask(q, keys - 65 + q), `${q} itself`).toBe(true);
        }
        expect(selectionStats(head, selection).density).toBeLessThan(1);
      }
    }
  });
});

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
        (count, keep, isRising, kind) => {
          const probe = (start: number, end: number) =>
            kind === 'first' ? start : kind === 'last' ? end - 1 : (start + end) >>> 1;
          const { leaves } = treeSearch(count, keep, probe, (i) => (isRising ? i : -i));
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

/** 128 positions: a diagonal at distance 37 and, for the queries that `wants` names, column 21. */
function plantedLines(wants: (query: number) => boolean): HeadTensors {
  const keys = 128;
  const headSize = 132;
  const head = randomHead({ queries: keys, keys, headSize, spread: 0.01 });
  for (let p = 0; p < keys; p++) {
    head.key[p * headSize + p] = 10;
    if (p >= 37) head.query[p * headSize + (p - 37)] = 8;
    if (wants(p)) head.query[p * headSize + 128] = 8;
  }
  head.key[21 * headSize + 128] = 10;
  return head;
}

const NO_FORCED = { windowQueries: 16, forcedColumns: 0, forcedDiagonals: 0 };

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
