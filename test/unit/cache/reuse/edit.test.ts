import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editCache, editText } from '../../../../lib/cache/reuse/edit';
import { earlierVersion } from '../../../../lib/cache/reuse/pie';
import { createRowCache } from '../../../../lib/cache/rows/row-cache';
import type { Transformer } from '../../../../lib/transformer/types';
import { largestDifference, tinyModel, tinyText } from '../../speculate/tiny-model';

function encoded(model: Transformer, text: readonly number[]) {
  const rows = createRowCache(model.config);
  model.forward({ tokens: text, positions: text.map((_, i) => i), cache: rows, logits: 'none' });
  return rows;
}

const edits = fc.record({
  start: fc.integer({ min: 1, max: 10 }),
  removed: fc.integer({ min: 0, max: 6 }),
  inserted: fc.array(fc.integer({ min: 3, max: 11 }), { maxLength: 6 }),
});

describe('cache editing', () => {
  it('rotates a key for its new place as encoding it there does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), edits, (seed, edit) => {
        const model = tinyModel(seed);
        const text = tinyText(seed, 20);
        const rows = encoded(model, text);
        editCache(model, rows, text, edit, 'pie');
        const wanted = encoded(model, editText(text, edit));
        for (let kvHead = 0; kvHead < 2; kvHead++) {
          // Layer 0 depends on the token alone, so there nothing is stale.
          expect([...rows.head(0, kvHead).rotated]).toEqual([...wanted.head(0, kvHead).rotated]);
          expect([...rows.head(2, kvHead).positions]).toEqual([
            ...wanted.head(2, kvHead).positions,
          ]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is exact where nothing stands behind the edit, and when everything behind it is computed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), edits, (seed, { start, removed, inserted }) => {
        const model = tinyModel(seed);
        const text = tinyText(seed, start + removed);
        const edit = { start, removed, inserted };
        const wanted = encoded(model, editText(text, edit));
        const longer = [...text, ...tinyText(seed + 1, 5)];
        for (const rule of ['pie', 'splice'] as const) {
          const rows = encoded(model, text);
          editCache(model, rows, text, edit, rule);
          expect(largestDifference(rows.head(2, 1).values, wanted.head(2, 1).values)).toBeLessThan(
            1e-5,
          );
        }
        const rows = encoded(model, longer);
        const run = editCache(model, rows, longer, edit, 'recompute');
        expect(run).toBe(inserted.length + 5);
        const all = encoded(model, editText(longer, edit));
        expect(largestDifference(rows.head(2, 1).values, all.head(2, 1).values)).toBeLessThan(1e-5);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves wrong rotations behind when it only splices', () => {
    const model = tinyModel(3);
    const text = tinyText(3, 20);
    const edit = { start: 5, removed: 0, inserted: [4, 5, 6] };
    const spliced = encoded(model, text);
    editCache(model, spliced, text, edit, 'splice');
    const wanted = encoded(model, editText(text, edit));
    const difference = largestDifference(spliced.head(0, 0).rotated, wanted.head(0, 0).rotated);
    expect(difference).toBeGreaterThan(0.1);
    expect([...spliced.head(0, 0).indices].slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 5, 6]);
  });

  it('rotates from the unrotated key, so that many edits do not drift', () => {
    const model = tinyModel(4);
    const text = tinyText(4, 12);
    const rows = encoded(model, text);
    const before = [...rows.head(1, 0).rotated];
    for (let i = 0; i < 200; i++) rows.move(3, 1, true);
    for (let i = 0; i < 200; i++) rows.move(203 - i, -1, true);
    expect([...rows.head(1, 0).rotated]).toEqual(before);
  });

  it('finds an earlier version that the edit turns into the context', () => {
    const context = [1, 4, 5, 6, 7, 8];
    for (const kind of ['insert', 'delete', 'replace'] as const) {
      const { before, edit } = earlierVersion(context, [2, 4], kind);
      expect(editText(before, edit)).toEqual(context);
      expect(before).not.toEqual(context);
    }
    expect(() => editText(context, { start: 5, removed: 3, inserted: [] })).toThrow(
      'invalid removed: 3 (expected 0..1)',
    );
  });
});
