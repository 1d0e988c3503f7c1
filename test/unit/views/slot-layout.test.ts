import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rankShares, sharesOf } from '../../../lib/views/cache/draw-slots';
import { rowTop, slotAt, slotLayout } from '../../../lib/views/cache/slot-layout';

const shapes = fc.record({
  layers: fc.integer({ min: 1, max: 8 }),
  kvHeads: fc.integer({ min: 1, max: 8 }),
  columns: fc.integer({ min: 1, max: 600 }),
  width: fc.integer({ min: 200, max: 1200 }),
});

describe('the slot picture', () => {
  test('finds every slot at its own middle', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), fc.nat(), ({ layers, kvHeads, columns, width }, r, c) => {
        const layout = slotLayout(layers, kvHeads, columns, width);
        const row = r % layout.rows;
        const column = c % columns;
        const x = (column + 0.5) * layout.columnWidth;
        const y = rowTop(layout, row) + layout.rowHeight / 2;
        expect(slotAt(layout, x, y)).toEqual({ row, column });
      }),
    );
  });

  test('has its last row within its height, and nothing outside or between layers', () => {
    const layout = slotLayout(2, 3, 10, 100);
    expect(rowTop(layout, 5) + layout.rowHeight).toBe(layout.height);
    expect(slotAt(layout, -1, 5)).toBeUndefined();
    expect(slotAt(layout, 101, 5)).toBeUndefined();
    expect(slotAt(layout, 50, layout.height + layout.layerGap + 1)).toBeUndefined();
    expect(slotAt(layout, 50, rowTop(layout, 3) - 1)).toBeUndefined();
  });
});

test('shares are of the largest finite value, from zero or the least', () => {
  expect([...sharesOf([0, 1, 4, Number.NaN])]).toEqual([0, 0.25, 1, 0]);
  expect([...sharesOf([-2, 0, 2])]).toEqual([0, 0.5, 1]);
  expect([...sharesOf([0, 0])]).toEqual([0, 0]);
});

test('ranks are within a row, alike for equal values, and nothing for none', () => {
  const values = [0.1, 900, Number.NaN, 0.1, -5, 7, 7, 6];
  const expected = [0.5, 1, 0, 0.5, 0, 1, 1, 1 / 3];
  Array.from(rankShares(values, 4)).forEach((share, i) => {
    expect(share).toBeCloseTo(expected[i]!, 6);
  });
  expect(Array.from(rankShares([Number.NaN, 3], 1))).toEqual([0, 0]);
});
