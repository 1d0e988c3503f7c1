import type { ViewInput } from '../view-input';
import type { Chart } from './marks';
import { storageChart, storageChartLabel, storagePoints } from './storages';

/** Output error of every storage over its bytes per token. */
export function storageErrorChart(inputs: readonly ViewInput[]): Chart | undefined {
  const cells = inputs.flatMap(({ id, result }) =>
    result?.output.kind === 'decode' ? [{ id, storages: result.output.value.storages }] : [],
  );
  if (cells.length === 0) return undefined;
  const points = cells.flatMap(({ id, storages }) =>
    storagePoints(storages).map((point) => ({
      ...point,
      name: cells.length === 1 ? point.name : `${id}: ${point.name}`,
    })),
  );
  return {
    name: 'storage-error',
    rows: cells.flatMap(({ id, storages }) =>
      storages.map(({ name, bytesPerToken, error, timing }) => ({
        series: id,
        storage: name,
        bytesPerToken,
        relativeL2: error.relativeL2,
        medianMilliseconds: 1000 * timing.medianSeconds,
      })),
    ),
    isFixed: true,
    description: storageChartLabel(points),
    options: (Plot, width) => storageChart(Plot, points, width),
  };
}
