import { expect, it } from 'vitest';
import type { AdapterRoof } from '../../../lib/attention/types';
import { rooflineChart } from '../../../lib/views/charts/roofline';
import { roofsOf } from '../../../lib/views/charts/roofs';
import type { ViewInput } from '../../../lib/views/view-input';

const roof = (gigaflops: number, gigabytes: number, threads?: number): AdapterRoof => ({
  matmulGigaflopsPerSecond: gigaflops,
  copyGigabytesPerSecond: gigabytes,
  clock: 'performance.now',
  measuredSeconds: 0.1,
  ...(threads === undefined ? {} : { threads }),
});

function attention(id: string, engine: string, of: AdapterRoof, gigaflopsPerSecond: number) {
  const value = {
    engine,
    adapter: { vendor: 'v', architecture: 'a' },
    timing: { flops: 1e9, gigaflopsPerSecond },
    roof: of,
    roofPlace: { flopsPerByte: 100, bound: 'compute', attainableGigaflopsPerSecond: 0, percent: 0 },
  };
  return { id, result: { output: { kind: 'attention', value } } } as unknown as ViewInput;
}

const RUNS = [
  attention('early', 'wasm', roof(10, 4, 2), 5),
  attention('late', 'wasm', roof(20, 3, 2), 20),
  attention('alone', 'wasm', roof(6, 2, 1), 3),
  attention('device', 'webgpu', roof(100, 10), 50),
];

it('has one roof per adapter and number of threads, the highest', () => {
  const { roofs } = roofsOf(RUNS);
  expect(
    roofs.map(({ name, peak, gigabytesPerSecond }) => [name, peak, gigabytesPerSecond]),
  ).toEqual([
    ['wasm, 2 threads', 20, 4],
    ['wasm, 1 thread', 6, 2],
    ['webgpu, v a', 100, 10],
  ]);
});

it('places earlier runs under it, and tells what they were before', () => {
  const { points } = roofsOf(RUNS);
  expect(
    points.map(({ percentOfRoof, percentWhenRun }) => [percentOfRoof, percentWhenRun]),
  ).toEqual([
    [25, 50],
    [100, 100],
    [50, 50],
    [50, 50],
  ]);
  expect(rooflineChart(RUNS)?.description).toContain(
    'early (wasm, 2 threads) 25 %, 50 % of the roof known when it ran, late (wasm, 2 threads) 100 %,',
  );
});

it('draws a decode step by its storages, and no axis of nothing', () => {
  const storage = (name: string, gigaflopsPerSecond: number, readBytes: number) => ({
    name,
    readBytes,
    timing: { flops: 1e6, gigaflopsPerSecond },
  });
  const value = {
    engine: 'wasm',
    adapter: undefined,
    roof: roof(10, 4, 1),
    storages: [storage('f32', 1, 2e6), storage('int8', 2, 5e5)],
  };
  const step = {
    id: 'step',
    result: { output: { kind: 'decode', value } },
  } as unknown as ViewInput;
  const { points } = roofsOf([step]);
  expect(points.map(({ series, flopsPerByte }) => [series, flopsPerByte])).toEqual([
    ['step: f32', 0.5],
    ['step: int8', 2],
  ]);
  // 0.5 FLOP per byte x 4 GB/s attain 2 GFLOP/s.
  expect(points[0]).toMatchObject({ bound: 'bandwidth', percentOfRoof: 50 });
  expect(rooflineChart([])).toBeUndefined();
});
