import { expect, test } from 'vitest';
import { storageChartLabel } from '../../../lib/views/charts/storages';

test('the chart in words names every point', () => {
  const points = [
    { name: 'f32', bytesPerToken: 1024, error: 1e-6 },
    { name: 'int4', bytesPerToken: 144, error: 0.15 },
  ];
  expect(storageChartLabel(points)).toBe(
    'output error against bytes per token: f32 1 KiB, 1.0e-6; int4 144 B, 1.5e-1',
  );
});
