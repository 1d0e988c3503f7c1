import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTests, type TestHost } from './open-tests';
import type { MemoryTests } from './page/memory';

let page: TestHost<MemoryTests>;
beforeAll(async () => {
  page = await openTests<MemoryTests>({ '/memory.js': 'test/browser/page/memory.ts' });
});
afterAll(() => page?.close());

const engine = 'webgpu';
const shape = { queryHeads: 4, kvHeads: 2, queries: 200, keys: 200, headSize: 32 };
const attention = { engine, shape, timedRuns: 1 };
const int8 = { type: 'quantised' };
const half = { type: 'f16' };
const step = { engine, shape: { ...shape, queries: 1, keys: 600 }, timedRuns: 1 };
const storages = [
  { name: 'f32' },
  { name: 'int8', key: int8, value: int8 },
  { name: 'f16', key: half, value: half },
];

const TRANSIENT = [
  ['compose', { engine, shape, timedRuns: 1 }],
  ['decode', { ...step, storages }],
  ['decode', { ...step, storages: [{ name: 'f32' }], layout: { type: 'paged' } }],
  ['recurrent', { engine, shape: { tokens: 200, heads: 2 }, timedRuns: 1 }],
  ['recurrent', { engine, shape: { tokens: 200, heads: 2 }, rule: { type: 'lmu' }, timedRuns: 1 }],
  [
    'recurrent',
    { engine, shape: { tokens: 200, heads: 2 }, rule: { type: 'mom', memories: 3 }, timedRuns: 1 },
  ],
] as const;

describe('bytes on the device', () => {
  test.each(TRANSIENT)('%s %o leaves nothing behind', async (kind, params) => {
    // The first of a kind calibrates, which must leave nothing either.
    const before = await page.call('runAndCount', kind, params);
    expect(before.ended).toBe('done');
    const after = await page.call('runAndCount', kind, { ...params, seed: 5 });
    expect(after).toEqual(before);
  });

  test.each([
    ['attention', 'timing', { ...attention, timedRuns: 50 }],
    ['attention', 'plan', { ...attention, shape: { ...shape, headSize: 24 } }],
    ['decode', 'compiling', { ...step, storages, shape: { ...step.shape, headSize: 48 } }],
    ['decode', 'timing', { ...step, storages, timedRuns: 50 }],
    [
      'recurrent',
      'compiling',
      { ...TRANSIENT[3][1], shape: { tokens: 200, heads: 2, keySize: 40 } },
    ],
    ['recurrent', 'timing', { ...TRANSIENT[3][1], timedRuns: 50 }],
  ] as const)(
    'a cell of kind %s that is cancelled in phase %s leaves nothing behind',
    async (kind, phase, params) => {
      const known = await page.call('runAndCount', 'compose', TRANSIENT[0][1]);
      const { ended, liveBytes } = await page.call(
        'runAndCount',
        kind,
        { ...params, seed: 9 },
        phase,
      );
      expect(ended).toBe('AbortError');
      expect(liveBytes).toBe(known.liveBytes);
    },
  );

  test('an attention cell keeps what maps and saving need, once per cell', async () => {
    const [first, again, other] = [
      await page.call('runAndCount', 'attention', { ...attention, seed: 21 }),
      await page.call('runAndCount', 'attention', { ...attention, seed: 21 }),
      await page.call('runAndCount', 'attention', { ...attention, seed: 22 }),
    ];
    expect(again.liveBytes).toBe(first.liveBytes);
    const kept = other.liveBytes - first.liveBytes;
    const tensor = 4 * shape.queryHeads * shape.queries * shape.headSize;
    // Query, output, half as many keys, and a log-sum-exp per row.
    const needed = 2 * tensor + tensor / 2 + tensor / shape.headSize;
    expect(kept).toBeGreaterThanOrEqual(needed);
    expect(kept).toBeLessThanOrEqual(needed + 1024);
    const mapped = await page.call('mapAndCount', { ...attention, seed: 21 }, 1);
    expect(mapped.liveBytes).toBe(other.liveBytes);
  });
});
