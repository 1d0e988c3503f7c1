import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  maskedOutputError,
  selectionMask,
  selectionStats,
} from '../../../lib/attention/select/evaluate';
import { selectFlexPrefill } from '../../../lib/attention/select/flexprefill';
import { selectHip } from '../../../lib/attention/select/hip';
import { selectPbs } from '../../../lib/attention/select/pbs';
import { selectQuest } from '../../../lib/attention/select/quest';
import { selectSale } from '../../../lib/attention/select/sale';
import type { HeadTensors, Selection } from '../../../lib/attention/select/types';
import { selectXAttention } from '../../../lib/attention/select/xattention';
import {
  FULL,
  isCausalOnly,
  isDenseWithoutCausality,
  randomHead,
  rowOf,
  SHAPES,
  SMALL,
} from './select-cases';

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
