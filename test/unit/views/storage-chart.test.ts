import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelShifts, storageChartLabel } from '../../../lib/views/charts/storages';

test('labels on one side of their points keep a line apart, and move down only', () => {
  const point = fc.record({
    name: fc.string(),
    bytesPerToken: fc.integer({ min: 1, max: 1000 }),
    error: fc.double({ min: 1e-9, max: 10, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 6 }), (points) => {
      const yOf = (error: number) => -20 * Math.log10(error);
      const shifts = labelShifts(points, yOf);
      const most = Math.max(...points.map(({ bytesPerToken }) => bytesPerToken));
      for (const shift of shifts) expect(shift).toBeGreaterThanOrEqual(0);
      for (const isLeft of [false, true]) {
        const lines = points
          .map((each, i) => ({ ...each, y: yOf(each.error) + shifts[i]! }))
          .filter(({ bytesPerToken }) => bytesPerToken >= most * 0.55 === isLeft)
          .map(({ y }) => y)
          .sort((a, b) => a - b);
        for (const [i, y] of lines.entries()) {
          if (i > 0) expect(y - lines[i - 1]!).toBeGreaterThanOrEqual(14 - 1e-9);
        }
      }
    }),
  );
});

test('the chart in words names every point', () => {
  const points = [
    { name: 'f32', bytesPerToken: 1024, error: 1e-6 },
    { name: 'int4', bytesPerToken: 144, error: 0.15 },
  ];
  expect(storageChartLabel(points)).toBe(
    'output error against bytes per token: f32 1 KiB, 1.0e-6; int4 144 B, 1.5e-1',
  );
});
