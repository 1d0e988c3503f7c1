import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMPOSE_PRESETS } from '../../lib/attention/compose/presets';
import { call, KERNEL_SCRIPTS } from './call';
import { openPage, type TestPage } from './open-page';

let page: TestPage;
beforeAll(async () => {
  page = await openPage(KERNEL_SCRIPTS);
});
afterAll(() => page?.close());

/** Small enough for a software adapter, ragged for the kernels' blocks. */
const smaller = ({ params }: (typeof COMPOSE_PRESETS)[number]) => ({
  ...params,
  shape: { queries: 500, ...params.shape, keys: 500, queryHeads: 4, kvHeads: 2 },
  timedRuns: 1,
});

for (const engine of ['webgpu', 'wasm'] as const) {
  test.each(COMPOSE_PRESETS)(`$id within tolerance on ${engine}`, async (preset) => {
    const { result, error } = await call(page, 'serviceCompose', { ...smaller(preset), engine });
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ engine, error: { withinTolerance: true } });
    expect(result!.error.maxAbs).toBeGreaterThan(0);
    expect(result!.calls.every((each) => each.error?.withinTolerance)).toBe(true);
    expect(result!.laws.every(({ holds }) => holds)).toBe(true);
    expect(result!.timing.medianSeconds).toBeGreaterThan(0);
    expect(result!.timing.samplesSeconds).toHaveLength(1);
  });
}

test.each([{ type: 'alibi' }, { type: 'xpos' }])(
  '$type with far distances clamped, on the device',
  async (encoding) => {
    const { result, error } = await call(page, 'serviceCompose', {
      engine: 'webgpu',
      shape: { batch: 2, queryHeads: 4, kvHeads: 2, queries: 70, keys: 333, headSize: 32 },
      encoding,
      positions: { type: 'clamped-far', windowTokens: 100 },
      parts: [{ name: 'all', temperature: 0.8 }],
      timedRuns: 1,
    });
    expect(error).toBeUndefined();
    expect(result!.error).toMatchObject({ withinTolerance: true });
  },
);

test('engine auto is chosen as for an attention cell', async () => {
  const { result } = await call(page, 'serviceCompose', {
    shape: { queries: 64, keys: 64 },
    timedRuns: 1,
  });
  expect(result).toMatchObject({ engine: 'wasm' });
  expect(result!.engineNote).toMatch(/adapter here is software/);
});

test('overlapping parts fail with a sentence', async () => {
  const { error } = await call(page, 'serviceCompose', {
    parts: [{ name: 'one' }, { name: 'two' }],
  });
  expect(error).toMatch(/"one" and "two" both see key 0 of query 0/);
});
