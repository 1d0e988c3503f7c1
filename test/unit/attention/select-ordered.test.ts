import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { selectionMask, selectionStats } from '../../../lib/attention/select/evaluate';
import { visibleEnd } from '../../../lib/attention/select/grid';
import { selectOrdered } from '../../../lib/attention/select/ordered';
import { partsOf } from '../../../lib/attention/select/parts-of';
import { selectHead } from '../../../lib/attention/select/select-head';
import { type AttentionSelection, attentionSelection } from '../../../lib/spec/kinds/selection';
import { composedSelection } from '../../../lib/spec/kinds/selection-parts';
import { orderedParts } from '../spec/arbitrary-selection-around';
import { randomHead } from './select-cases';

const sizes = {
  queries: fc.integer({ min: 1, max: 150 }),
  keys: fc.integer({ min: 1, max: 170 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  spread: fc.constantFrom(0.3, 1, 3),
};
const causalHeads = fc.record(sizes).map(randomHead);
const heads = fc.record({ ...sizes, causal: fc.boolean() }).map(randomHead);
const composed = (parts: object) => composedSelection.parse({ type: 'composed', ...parts });

describe('an order of keys', () => {
  it('pbs taken apart selects the same blocks of the same order at the same cost', () => {
    const options = fc
      .record({
        blockTokens: fc.constantFrom(8, 16, 24, 32),
        perSegment: fc.integer({ min: 1, max: 4 }),
        share: fc.double({ min: 0.01, max: 1, noNaN: true }),
      })
      .map(({ blockTokens, perSegment, share }) => ({
        blockTokens,
        segmentTokens: perSegment * blockTokens,
        share,
      }));
    fc.assert(
      fc.property(causalHeads, options, (head, each) => {
        const preset = attentionSelection.parse({ type: 'pbs', ...each });
        const parts = partsOf(preset, true) as AttentionSelection;
        expect(attentionSelection.parse(parts)).toEqual(parts);
        const expected = selectHead(head, preset);
        const selected = selectHead(head, parts);
        expect(selected?.offsets).toEqual(expected?.offsets);
        expect(selected?.blocks).toEqual(expected?.blocks);
        expect(selected?.keyOrder).toEqual(expected?.keyOrder);
        expect(selected?.selectionFlops).toBe(expected?.selectionFlops);
      }),
      { numRuns: 100 },
    );
    expect(partsOf(attentionSelection.parse({ type: 'pbs' }), false)).toBeUndefined();
  });

  it('keeps forced keys and the own segment, and shows nothing that is hidden', () => {
    fc.assert(
      fc.property(heads, orderedParts, (head, each) => {
        const parts = composed(each);
        const { segmentTokens } = parts.order!;
        const selection = selectOrdered(head, parts);
        const sees = selectionMask(head, selection);
        for (let q = 0; q < head.queries; q++) {
          const end = visibleEnd(head, q);
          const position = head.keys - head.queries + q;
          const ownSegment = segmentTokens * Math.floor(Math.max(0, position) / segmentTokens);
          const { recentTokens, windowTokens } = parts.forced;
          const first = Math.max(0, position - Math.max(recentTokens, windowTokens) + 1);
          for (let k = 0; k < head.keys; k++) {
            const isForced =
              k < parts.forced.sinkTokens ||
              (k <= position && k >= first) ||
              (head.causal && k >= ownSegment);
            if (k >= end) expect(sees(q, k)).toBe(false);
            else if (isForced) expect(sees(q, k)).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is a permutation inside segments, and of the last, incomplete one none', () => {
    fc.assert(
      fc.property(heads, orderedParts, (head, each) => {
        const parts = composed(each);
        const { segmentTokens } = parts.order!;
        const order = [...selectOrdered(head, parts).keyOrder!];
        expect(order.toSorted((a, b) => a - b)).toEqual(order.map((_, i) => i));
        const whole = segmentTokens * Math.floor(head.keys / segmentTokens);
        order.forEach((key, slot) => {
          if (slot >= whole) expect(key).toBe(slot);
          else expect(Math.floor(key / segmentTokens)).toBe(Math.floor(slot / segmentTokens));
        });
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    { type: 'top-p', share: 1 },
    { type: 'top-k', blocks: 16_384 },
    { type: 'threshold', of: 'maximum', share: 0 },
  ])('%j is dense', (selector) => {
    fc.assert(
      fc.property(heads, orderedParts, (head, each) => {
        const parsed = composedSelection.safeParse({ ...each, selector });
        fc.pre(parsed.success);
        const { keptPairs, visiblePairs } = selectionStats(head, selectOrdered(head, parsed.data!));
        expect(keptPairs).toBe(visiblePairs);
      }),
      { numRuns: 40 },
    );
  });

  it('a query block of the first segment looks at nothing but that segment', () => {
    const head = randomHead({ queries: 256, keys: 256, seed: 3 });
    const selection = selectOrdered(head, composed({ order: { segmentTokens: 128 } }));
    for (let i = 0; i < 4; i++) {
      const row = selection.blocks.subarray(selection.offsets[i], selection.offsets[i + 1]);
      expect(Math.max(...row)).toBeLessThan(4);
    }
    // 32 queries of the window see what is visible; 4 query blocks of the second segment see the
    // 4 blocks of the first one by their means.
    const windowPairs = 32 * 256 - (32 * 31) / 2;
    expect(selection.selectionFlops).toBe(2 * 8 * (windowPairs + 4 * 4));
  });

  it('gathers heavy keys: one block per segment then holds what was spread over all', () => {
    // Every 32nd key answers all queries; a block of 32 holds one of them as they come.
    const headSize = 8;
    const head = randomHead({ queries: 128, keys: 512, headSize, spread: 0.01, seed: 2 });
    for (let q = 0; q < 128; q++) head.query[q * headSize] = 40;
    for (let k = 0; k < 512; k += 32) head.key[k * headSize] = 4;
    const parts = {
      selector: { type: 'top-p', share: 0.9 },
      forced: { sinkTokens: 0, recentTokens: 0 },
    };
    const order = { segmentTokens: 128, windowQueries: 32 };
    const asTheyCome = selectionStats(head, selectOrdered(head, composed(parts)));
    const sorted = selectionStats(head, selectOrdered(head, composed({ ...parts, order })));
    expect(sorted.massRecall).toBeGreaterThan(0.9);
    expect(sorted.density).toBeLessThan(0.6 * asTheyCome.density);
  });
});

describe('an order that does not go with other parts', () => {
  test.each([
    [{ order: { segmentTokens: 48 } }, 'order.segmentTokens', 'a multiple of blockTokens 32'],
    [{ blockTokens: 64, order: { segmentTokens: 32 } }, 'order.segmentTokens', 'blockTokens 64'],
    [{ order: { segmentTokens: 64 }, selector: { type: 'none' } }, 'selector.type', 'no order'],
    [
      {
        order: { segmentTokens: 64 },
        scorer: { type: 'every-query' },
        selector: { type: 'threshold', of: 'forced', share: 0.1 },
      },
      'selector.of',
      'kept unscored',
    ],
  ])('%j is refused at %s: %s', (parts, field, why) => {
    const parsed = composedSelection.safeParse({ type: 'composed', ...parts });
    const issues = parsed.error?.issues ?? [];
    expect(issues.map(({ path }) => path.join('.'))).toEqual([field]);
    expect(issues[0]?.message).toContain(why);
    const { order, ...rest } = parts as { readonly order: object };
    const filled = { ...composed(rest), order: { segmentTokens: 0, windowQueries: 32, ...order } };
    const run = () => selectOrdered(randomHead({ queries: 8, keys: 8 }), filled);
    expect(run).toThrow(`invalid ${field} (expected`);
  });
});
