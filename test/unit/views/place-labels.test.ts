import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boxOf, overlaps, placeLabels } from '../../../lib/views/charts/place-labels';

const AREA = { left: 40, right: 700, top: 0, bottom: 300 };

test('names lie neither on each other nor outside where there is room', () => {
  const point = fc.record({
    text: fc.string({ minLength: 1, maxLength: 20 }),
    x: fc.integer({ min: 60, max: 680 }),
    y: fc.integer({ min: 20, max: 280 }),
  });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 8 }), (points) => {
      const places = placeLabels(points, AREA);
      const boxes = points.map((each, i) => boxOf(each, places[i]!));
      for (const [i, box] of boxes.entries()) {
        expect(box.left).toBeGreaterThanOrEqual(AREA.left);
        expect(box.right).toBeLessThanOrEqual(AREA.right);
        expect(box.bottom).toBeLessThanOrEqual(AREA.bottom);
        for (const other of boxes.slice(i + 1)) expect(overlaps(box, other)).toBe(false);
      }
    }),
  );
});

test('a lone point keeps its name beside it, on the side with room', () => {
  expect(placeLabels([{ x: 100, y: 100, text: 'full' }], AREA)).toEqual([
    { dx: 9, dy: 0, anchor: 'start' },
  ]);
  expect(placeLabels([{ x: 690, y: 100, text: 'full' }], AREA)[0]).toMatchObject({ anchor: 'end' });
});
