import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, KERNEL_SCRIPTS } from './call';
import { CANCEL_MILLISECONDS, soonestCancel } from './least-delay';
import { openPage, type TestPage } from './open-page';

let page: TestPage;
beforeAll(async () => {
  page = await openPage(KERNEL_SCRIPTS);
});
afterAll(() => page?.close());

const shape = { batch: 2, queryHeads: 4, kvHeads: 2, queries: 70, keys: 90, headSize: 32 };

test.each(['webgpu', 'wasm', 'cpu'])(
  'seeded inputs, exported and read again, give the same bytes: %s',
  async (engine) => {
    const outcome = await call(page, 'tensorRoundTrip', { shape, engine, timedRuns: 1 });
    expect(outcome.names).toEqual(['q', 'k', 'v', 'output', 'lse']);
    expect(outcome.differing).toEqual([]);
    expect(outcome.engine).toBe(engine);
    expect(outcome.notes[0]).toBe('inputs from "export.safetensors": q (F32), k (F32), v (F32)');
  },
);

test('maps of two files of one name and size are their own', async () => {
  const params = { shape, engine: 'wasm' };
  const [one, oneOfFile, two, twoOfFile] = await call(page, 'mapsOfTwoFiles', params);
  expect(oneOfFile).toEqual(one);
  expect(twoOfFile).toEqual(two);
  expect(one).not.toEqual(two);
});

test('a map over 32,768 keys has progress and exact windows', async () => {
  const outcome = await call(page, 'longMap', {
    shape: { ...shape, batch: 1, queryHeads: 1, kvHeads: 1, queries: 1024, keys: 32_768 },
    engine: 'wasm',
    timedRuns: 1,
  });
  expect(outcome).toMatchObject({ rows: 512, columns: 512, finite: 4 * 512 - 6 });
  expect(outcome.reports.length).toBeGreaterThan(2);
  expect([...outcome.reports].sort((a, b) => a - b)).toEqual(outcome.reports);
  expect(outcome.lastRowMass).toBeCloseTo(1, 2);
});

test.each(['wasm', 'webgpu'])('a long map is cancelled soon: %s', async (engine) => {
  const { error, milliseconds } = await soonestCancel(() =>
    call(page, 'cancelMap', {
      shape: { ...shape, batch: 1, queryHeads: 1, kvHeads: 1, queries: 8192, keys: 32_768 },
      variant: { type: 'sliding-window', windowTokens: 4096 },
      engine,
    }),
  );
  expect(error).toBe('AbortError');
  expect(milliseconds).toBeLessThan(CANCEL_MILLISECONDS);
});
