import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KERNEL_SCRIPTS } from './call';
import { openPage, type TestPage } from './open-page';
import { pageTests, type TestHost } from './open-tests';
import type { InterruptTests } from './page/interrupt';

const SCRIPTS = {
  '/interrupt.js': 'test/browser/page/interrupt.ts',
  '/kernel.worker.js': KERNEL_SCRIPTS['/kernel.worker.js'],
  '/lane.worker.ts': KERNEL_SCRIPTS['/lane.worker.ts'],
};

let page: TestPage;
let host: TestHost<InterruptTests>;
beforeAll(async () => {
  page = await openPage(SCRIPTS);
  host = pageTests<InterruptTests>(page);
});
afterAll(() => page?.close());

const engine = 'webgpu';
const shape = { queryHeads: 4, kvHeads: 2, queries: 700, keys: 700, headSize: 64 };
const int8 = { type: 'quantised' };

/** Every cell kind that may run on the device. */
const CALLS = [
  ['attention', { engine, shape, timedRuns: 5 }],
  ['compose', { engine, shape, timedRuns: 5 }],
  [
    'decode',
    {
      engine,
      shape: { ...shape, queries: 1, keys: 3000 },
      storages: [{ name: 'f32' }, { name: 'int8', key: int8, value: int8 }],
      timedRuns: 5,
    },
  ],
  ['recurrent', { engine, shape: { tokens: 700, heads: 2 }, timedRuns: 5 }],
  ['recurrent', { engine, shape: { tokens: 700, heads: 2 }, rule: { type: 'lmu' }, timedRuns: 5 }],
] as const;

interface Finished {
  readonly error?: string;
  readonly value?: { readonly value?: { readonly notes: readonly string[] } };
}

function expectRepeated({ error, value }: Finished) {
  expect(error).toBeUndefined();
  expect(value?.value?.notes.join('\n')).toMatch(
    /lost during this run and the run was repeated once/,
  );
  expect(value?.value?.notes.join('\n')).not.toMatch(/differs|no number/);
}

describe('a device that is lost in mid-run', () => {
  test.each(CALLS)('%s %o is run once more', async (kind, params) => {
    const outcome = await host.call('runWithLoss', kind, params, 'timing');
    expect(outcome.isLost).toBe(true);
    expectRepeated(outcome as Finished);
  });

  test('a map is made once more', async () => {
    const outcome = await host.call('runWithLoss', 'attention', CALLS[0][1], 'map', { head: 1 });
    expect(outcome).toMatchObject({ value: { queries: 700, keys: 700 } });
  });

  test('a crash of the GPU process is such a loss', async () => {
    await host.call('startCall', 'attention', { ...CALLS[0][1], timedRuns: 50 }, 'timing');
    const browser = await page.browser.newBrowserCDPSession();
    await browser.send('Browser.crashGpuProcess');
    const outcome = (await host.call('endOfCall')) as Finished;
    expectRepeated(outcome);
  });
});
