import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTests, type TestHost } from './open-tests';
import type { ModelDeviceTests } from './page/model-device';

let page: TestHost<ModelDeviceTests>;
beforeAll(async () => {
  page = await openTests<ModelDeviceTests>({
    '/model-device.js': 'test/browser/page/model-device.ts',
  });
});
afterAll(() => page?.close());

describe('a policy answers and keeps on the device what it does in WebAssembly', () => {
  // Slots alone; sums of attention; queries of a window; a classifier's fit; keys in part; few bits.
  test.each([
    'full',
    'streaming-llm',
    'key-norm',
    'h2o',
    'tova',
    'snapkv',
    'pyramidkv',
    'duo-attention',
    'think',
    'kivi',
  ])('%s', async (id) => {
    const { plain, device, tally } = await page.call('runPolicy', id);
    expect(device).toEqual(plain);
    expect(plain.first).toHaveLength(6);
    expect(tally.held).toBeGreaterThan(10);
    expect(tally.layered).toBe(0);
  });

  test.each(['quest', 'shadowkv'])('%s, which chooses slots for every query', async (id) => {
    const { plain, device, tally } = await page.call('runPolicy', id);
    expect(device).toEqual(plain);
    // The context; questions and answers are of few rows.
    expect(tally).toMatchObject({ held: 1, layered: 0 });
    expect(tally.cpu).toBeGreaterThan(0);
  });

  test.each(['cake', 'oracle-top-k'])('%s, which acts between layers', async (id) => {
    const { plain, device, tally } = await page.call('runPolicy', id);
    expect(device).toEqual(plain);
    expect(tally.layered).toBeGreaterThan(0);
  });
});

test('a software adapter is used where it is asked for by name, and a lost device replaced', async () => {
  expect(await page.call('lose')).toMatchObject({
    auto: true,
    adapter: { isFallback: true },
    decodes: true,
    wrong: false,
    lost: true,
    isSame: true,
  });
});
