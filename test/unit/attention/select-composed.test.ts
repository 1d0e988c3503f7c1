import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectComposed } from '../../../lib/attention/select/composed';
import { selectionMask, selectionStats } from '../../../lib/attention/select/evaluate';
import { makeGrid, visibleBlocks, visibleEnd } from '../../../lib/attention/select/grid';
import {
  type ComposedSelection,
  composedSelection,
  selectsLines,
} from '../../../lib/spec/kinds/selection-parts';
import { composedParts } from '../spec/arbitrary-selection';
import { anyHeads as heads } from './arbitrary-heads';
import { denseProbabilities, randomHead, rowOf } from './select-cases';

const composed = (parts: object) => composedSelection.parse({ type: 'composed', ...parts });

describe('laws of composed selections', () => {
  it('top-p at 1, top-k of all blocks or lines and a threshold of 0 are dense', () => {
    const selectors = [
      { type: 'top-p', share: 1 },
      { type: 'top-k', blocks: 16_384 },
      { type: 'threshold', of: 'maximum', share: 0 },
      { type: 'threshold', of: 'mass', share: 0 },
      { type: 'threshold', of: 'forced', share: 0 },
      { type: 'tree', blocks: 16_384 },
      { type: 'line-top-k', columns: 16_384, diagonals: 0 },
      { type: 'line-top-p', share: 1 },
      { type: 'line-cover', share: 1 },
    ];
    fc.assert(
      fc.property(heads, composedParts, fc.constantFrom(...selectors), (head, parts, selector) => {
        const parsed = composedSelection.safeParse({ ...parts, selector });
        fc.pre(parsed.success);
        const { keptPairs, visiblePairs } = selectionStats(
          head,
          selectComposed(head, parsed.data!),
        );
        expect(keptPairs).toBe(visiblePairs);
      }),
      { numRuns: 80 },
    );
  });

  it('keeps what is forced, k blocks at most beside it, and nothing that is hidden', () => {
    fc.assert(
      fc.property(heads, composedParts, fc.integer({ min: 1, max: 9 }), (head, parts, blocks) => {
        const parsed = composedSelection.safeParse({
          ...parts,
          selector: { type: 'top-k', blocks },
        });
        fc.pre(parsed.success);
        const each = parsed.data!;
        const selection = selectComposed(head, each);
        const none = { ...each, forced: { sinkTokens: 0, recentTokens: 0, windowTokens: 0 } };
        const free = selectComposed(head, none);
        const grid = makeGrid(head, each.queryBlockTokens, each.blockTokens);
        const sees = selectionMask(head, selection);
        for (let i = 0; i < selection.queryBlocks; i++) {
          const visible = visibleBlocks(grid, i);
          expect(rowOf(free, i)).toHaveLength(Math.min(blocks, visible));
          const row = rowOf(selection, i);
          expect(row.length).toBeGreaterThanOrEqual(Math.min(blocks, visible));
          expect(Math.max(-1, ...row)).toBeLessThan(visible);
        }
        for (let q = 0; q < head.queries; q++) {
          const end = visibleEnd(head, q);
          for (let k = 0; k < Math.min(end, each.forced.sinkTokens); k++) {
            expect(sees(q, k)).toBe(true);
          }
          const position = head.keys - head.queries + q;
          const { recentTokens, windowTokens } = each.forced;
          for (let d = 0; d < Math.max(recentTokens, windowTokens) && d <= position; d++) {
            expect(sees(q, position - d)).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('nothing chosen is what is forced: to the token, or as the blocks that hold it', () => {
    const tokens = fc.integer({ min: 0, max: 50 });
    fc.assert(
      fc.property(heads, tokens, tokens, (head, sinkTokens, recentTokens) => {
        const forced = { sinkTokens, recentTokens };
        const seen = (unit: string) =>
          selectionMask(
            head,
            selectComposed(head, composed({ selector: { type: 'none', unit }, forced })),
          );
        const [byToken, byBlock] = [seen('token'), seen('block')];
        const wrong: unknown[] = [];
        for (let q = 0; q < head.queries; q++) {
          const position = head.keys - head.queries + q;
          for (let k = 0; k < head.keys; k++) {
            const isRecent = k <= position && position - k < recentTokens;
            const isForced = k < visibleEnd(head, q) && (k < sinkTokens || isRecent);
            if (byToken(q, k) !== isForced || (isForced && !byBlock(q, k))) wrong.push([q, k]);
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 30 },
    );
    const head = randomHead({ queries: 96, keys: 96 });
    const whole = composed({
      selector: { type: 'none', unit: 'block' },
      forced: { sinkTokens: 1, recentTokens: 2 },
    });
    const selection = selectComposed(head, whole);
    expect([0, 1, 2].map((i) => rowOf(selection, i))).toEqual([[0], [0, 1], [0, 1, 2]]);
    expect(selection.selectionFlops).toBe(0);
  });

  it('a window beside what is chosen adds itself and changes nothing else', () => {
    fc.assert(
      fc.property(heads, composedParts, fc.integer({ min: 0, max: 70 }), (head, given, tokens) => {
        const parts = composedSelection.parse(given);
        const mask = (each: ComposedSelection) => selectionMask(head, selectComposed(head, each));
        const without = { ...parts.forced, windowTokens: 0 };
        const isOfLines = selectsLines(parts) || parts.selector.type === 'none';
        const unit =
          parts.selector.type === 'none' ? parts.selector.unit : isOfLines ? 'token' : 'block';
        const beside = mask({ ...parts, forced: { ...without, windowTokens: tokens } });
        const alone = mask({ ...parts, forced: without });
        const window = mask({
          ...parts,
          selector: { type: 'none', unit },
          forced: { sinkTokens: 0, recentTokens: tokens, windowTokens: 0 },
        });
        const wrong: unknown[] = [];
        for (let q = 0; q < head.queries; q++) {
          for (let k = 0; k < head.keys; k++) {
            if (beside(q, k) !== (alone(q, k) || window(q, k))) wrong.push([q, k]);
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('a tree that splits its root into leaves is the best block of all', () => {
    const token = fc.constantFrom('first', 'centre', 'last');
    fc.assert(
      fc.property(heads, token, (head, each) => {
        const kept = (selector: object) =>
          selectComposed(
            head,
            composed({
              blockTokens: 16,
              summariser: { type: 'representative', token: each },
              selector,
              forced: { sinkTokens: 0, recentTokens: 0 },
            }),
          );
        const flat = kept({ type: 'top-k', blocks: 1 });
        const tree = kept({ type: 'tree', blocks: 1, branch: 16 });
        expect(tree.offsets).toEqual(flat.offsets);
        expect(tree.blocks).toEqual(flat.blocks);
        expect(tree.selectionFlops).toBeLessThanOrEqual(flat.selectionFlops);
      }),
      { numRuns: 40 },
    );
  });

  it('above what the forced keys get: by keys exactly the blocks that need it, by bounds no fewer', () => {
    const share = fc.constantFrom(0.02, 0.2, 1);
    fc.assert(
      fc.property(heads, share, fc.constantFrom(1, 20), (head, above, recentTokens) => {
        const kept = (summariser: object) =>
          selectComposed(
            head,
            composed({
              blockTokens: 16,
              summariser,
              scorer: { type: 'every-query' },
              selector: { type: 'threshold', of: 'forced', share: above },
              forced: { sinkTokens: 3, recentTokens },
            }),
          );
        const exact = kept({ type: 'every-key' });
        const bounded = kept({ type: 'bounds', partTokens: 8 });
        const forced = selectComposed(
          head,
          composed({
            blockTokens: 16,
            selector: { type: 'none', unit: 'block' },
            forced: { sinkTokens: 3, recentTokens },
          }),
        );
        const isForced = selectionMask(head, forced);
        const rows = denseProbabilities(head);
        for (let i = 0; i < exact.queryBlocks; i++) {
          const wanted = new Set(rowOf(forced, i));
          for (let q = 32 * i; q < Math.min(head.queries, 32 * (i + 1)); q++) {
            const row = rows[q]!;
            const given = row.reduce((sum, p, k) => sum + (isForced(q, k) ? p : 0), 0);
            row.forEach((p, k) => {
              if (p > above * given) wanted.add(Math.floor(k / 16));
            });
          }
          expect(rowOf(exact, i)).toEqual([...wanted].toSorted((a, b) => a - b));
          expect(rowOf(bounded, i)).toEqual(expect.arrayContaining(rowOf(exact, i)));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('a threshold of the whole maximum is top-1; of half the mass, at most two blocks', () => {
    fc.assert(
      fc.property(heads, fc.constantFrom('scores', 'probabilities'), (head, of) => {
        const kept = (selector: object) =>
          selectComposed(
            head,
            composed({
              queryBlockTokens: 8,
              reducer: { of },
              selector,
              forced: { sinkTokens: 0, recentTokens: 0 },
            }),
          );
        const best = kept({ type: 'top-k', blocks: 1 });
        const largest = kept({ type: 'threshold', of: 'maximum', share: 1 });
        expect(largest.offsets).toEqual(best.offsets);
        expect(largest.blocks).toEqual(best.blocks);
        const half = kept({ type: 'threshold', of: 'mass', share: 0.5 });
        for (let i = 0; i < half.queryBlocks; i++) {
          const row = rowOf(half, i);
          expect(row.length).toBeLessThanOrEqual(2);
          if (row.length === 1) expect(row).toEqual(rowOf(best, i));
        }
      }),
      { numRuns: 40 },
    );
    const even = randomHead({ queries: 8, keys: 64, seed: 1, spread: 0.01, causal: false });
    const parts = composed({
      blockTokens: 16,
      selector: { type: 'threshold', of: 'mass', share: 0.3 },
      forced: { sinkTokens: 0, recentTokens: 0 },
    });
    expect(selectComposed(even, parts).blocks).toHaveLength(0);
  });

  it('a window chooses once: every query block has the same ranking among what it sees', () => {
    const head = randomHead({ queries: 128, keys: 128, seed: 3, causal: false });
    const parts = composed({
      scorer: { type: 'window', windowQueries: 16 },
      selector: { type: 'top-k', blocks: 2 },
      forced: { sinkTokens: 0, recentTokens: 0 },
    });
    const selection = selectComposed(head, parts);
    const rows = Array.from({ length: selection.queryBlocks }, (_, i) => rowOf(selection, i));
    expect(new Set(rows.map(String)).size).toBe(1);
    // 16 queries against the means of 4 blocks.
    expect(selection.selectionFlops).toBe(2 * 8 * 16 * 4);
  });
});
