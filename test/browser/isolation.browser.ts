import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, KERNEL_SCRIPTS } from './call';
import { openPage, type TestPage } from './open-page';

/** As a static host serves the page, without the headers that isolate it. */
let page: TestPage;
beforeAll(async () => {
  page = await openPage(KERNEL_SCRIPTS, { isIsolated: false });
});
afterAll(() => page?.close());

const shape = { queryHeads: 4, kvHeads: 2, queries: 600, keys: 600, headSize: 32 };
const WHY = /^no more threads: the page is not cross-origin isolated/;

test('a page that is not isolated runs on one thread and says why', async () => {
  expect(await page.page.evaluate(() => crossOriginIsolated)).toBe(false);
  const cores = await page.page.evaluate(() => navigator.hardwareConcurrency);
  const { result, error } = await call(page, 'serviceAttention', { shape, timedRuns: 2 });
  expect(error).toBeUndefined();
  expect(result).toMatchObject({ engine: 'wasm', error: { withinTolerance: true } });
  expect(result!.notes[0]).toMatch(/^WebAssembly .* on one thread of the CPU$/);
  expect(result!.notes.some((note) => WHY.test(note))).toBe(cores > 1);
  expect(result!.percentOfRoof).toBeGreaterThan(0);
});

test('a small call would have one thread anyway', async () => {
  const small = { ...shape, queries: 64, keys: 64 };
  const { result } = await call(page, 'serviceAttention', { shape: small, timedRuns: 1 });
  expect(result!.notes.join('\n')).not.toMatch(/threads/);
});

test('so does a decode step', async () => {
  const step = { ...shape, queries: 1, keys: 65_536 };
  const { result } = await call(page, 'serviceDecode', { shape: step, timedRuns: 1 });
  expect(result!.engine).toBe('wasm');
  expect(result!.notes.join('\n')).toMatch(/on one thread of the CPU/);
  expect(result!.notes.some((note) => WHY.test(note))).toBe(true);
});
