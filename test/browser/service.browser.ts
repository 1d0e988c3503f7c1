import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, KERNEL_SCRIPTS } from './call';
import { CANCEL_MILLISECONDS, soonestCancel } from './least-delay';
import { openPage, type TestPage } from './open-page';

let page: TestPage;
beforeAll(async () => {
  page = await openPage(KERNEL_SCRIPTS);
});
afterAll(() => page?.close());

/** The adapter is a software one, which `auto` would leave alone. */
const engine = 'webgpu';
const shape = (tokens: number) => ({
  batch: 1,
  queryHeads: 4,
  kvHeads: 2,
  queries: tokens,
  keys: tokens,
  headSize: 64,
});

test('attention fills every field of its result', async () => {
  const { result, error, reports } = await call(page, 'serviceAttention', {
    engine,
    shape: shape(512),
    timedRuns: 3,
  });
  expect(error).toBeUndefined();
  expect(result).toMatchObject({ engine: 'webgpu', engineNote: undefined });
  expect(result!.error).toMatchObject({ withinTolerance: true });
  expect(result!.timing.samplesSeconds).toHaveLength(3);
  expect(result!.timing.flops).toBe((4 * 64 * 4 * 512 * 513) / 2);
  expect(result!.density.elements).toBeCloseTo(513 / 1024, 10);
  expect(result!.density.blocks).toBeGreaterThanOrEqual(result!.density.elements);
  expect(result!.plan!.candidates.length).toBeGreaterThan(1);
  expect(result!.plan!.id).toBe(result!.plan!.candidates[0]!.id);
  expect(result!.percentOfRoof).toBeGreaterThan(0);
  expect(result!.percentOfRoof).toBeLessThanOrEqual(100);
  const phases = new Set(reports.map(({ phase }) => phase));
  expect(phases.size).toBeGreaterThan(1);
  // At most ten a second; a busy page may see two of them close together.
  const spanMilliseconds = reports.at(-1)!.at - reports[0]!.at;
  expect(reports.length).toBeLessThanOrEqual(2 + spanMilliseconds / 100);
});

test('decode picks a split-KV plan and says so', async () => {
  const { result } = await call(page, 'serviceAttention', {
    engine,
    shape: { ...shape(1), keys: 2048 },
    timedRuns: 2,
  });
  expect(result!.error).toMatchObject({ withinTolerance: true });
  expect(result!.plan!.id).toMatch(/split/);
  expect(result!.notes.join()).toMatch(/keys split \d+ ways/);
});

test('maps come from resident tensors', async () => {
  const params = { engine, shape: shape(600), structure: {} };
  const maps = await call(page, 'serviceMaps', params, 3);
  expect(maps).toMatchObject({ rows: 512, columns: 512 });
  // Row 3 of a causal map sees keys 0..3, all inside the window.
  expect(maps.rowSum).toBeCloseTo(1, 5);
});

test('on a software adapter engine auto runs WebAssembly and says why', async () => {
  const { result, error } = await call(page, 'serviceAttention', {
    shape: shape(512),
    timedRuns: 3,
  });
  expect(error).toBeUndefined();
  expect(result).toMatchObject({ engine: 'wasm', error: { withinTolerance: true } });
  expect(result!.adapter).toMatchObject({ isFallback: true });
  expect(result!.engineNote).toMatch(/adapter here is software .* slower than WebAssembly/);
});

test('a large call shares its memory among threads', async () => {
  const { result, error } = await call(page, 'serviceAttention', {
    shape: shape(1024),
    timedRuns: 3,
    engine: 'wasm',
  });
  expect(error).toBeUndefined();
  expect(result).toMatchObject({ engine: 'wasm', error: { withinTolerance: true } });
  const cores = await page.page.evaluate(() => navigator.hardwareConcurrency);
  const threads = cores > 1 ? `${Math.min(8, cores)} threads` : 'one thread';
  expect(result!.notes).toEqual([`WebAssembly relaxed SIMD on ${threads} of the CPU`]);
});

test('the page is never slower on the software adapter than with WebAssembly', async () => {
  const median = async (each: string) => {
    const params = { engine: each, shape: shape(1024), timedRuns: 5 };
    const { result } = await call(page, 'serviceAttention', params);
    return result!.timing.medianSeconds;
  };
  const [chosen, kernel] = [await median('auto'), await median('webgpu')];
  expect(chosen).toBeLessThan(kernel);
});

test.each(['webgpu', 'wasm'])(
  'a cancel in the timed runs arrives within 100 ms: %s',
  async (each) => {
    const params = { engine: each, shape: shape(4096), timedRuns: 50 };
    const { error, milliseconds } = await soonestCancel(() =>
      call(page, 'cancelLatency', params, 60),
    );
    expect(error).toMatch(/^AbortError/);
    expect(milliseconds).toBeLessThan(CANCEL_MILLISECONDS);
  },
);

test.each([
  ['wasm', 'inputs', 8192, 40],
  ['wasm', 'timing', 8192, 60],
  ['webgpu', 'inputs', 8192, 40],
  ['webgpu', 'plan', 1024, 200],
  ['webgpu', 'timing', 8192, 60],
] as const)(
  'engine %s: a cancel in phase %s of %i tokens arrives within 100 ms',
  async (each, phase, tokens, afterMilliseconds) => {
    const phases = phase === 'timing' ? ['warm-up', 'timing'] : [phase];
    const { error, milliseconds } = await soonestCancel((attempt) => {
      // A head size of its own for each plan phase, whose choices are kept.
      const headSize = phase === 'plan' ? 80 + 4 * attempt : 64;
      const params = { engine: each, shape: { ...shape(tokens), headSize }, timedRuns: 1 };
      return call(page, 'cancelLatency', params, afterMilliseconds, phases);
    });
    expect(error).toMatch(/^AbortError/);
    expect(milliseconds).toBeLessThan(CANCEL_MILLISECONDS);
  },
);

test('a result in WebAssembly stands under a roof of its threads, probed once', async () => {
  const params = { engine: 'wasm', shape: shape(512), timedRuns: 3 };
  const first = (await call(page, 'serviceAttention', params)).result!;
  const second = (await call(page, 'serviceAttention', params)).result!;
  expect(first.roof!.copyGigabytesPerSecond).toBeGreaterThan(0.1);
  // Measured once: a later run can only lift it.
  expect(second.roof!.measuredSeconds).toBe(first.roof!.measuredSeconds);
  for (const { percentOfRoof, roofPlace } of [first, second]) {
    expect(roofPlace!.bound).toBe('compute');
    expect(percentOfRoof).toBeGreaterThan(5);
    expect(percentOfRoof).toBeLessThanOrEqual(100 + 1e-9);
  }
  const decode = { engine: 'wasm', shape: { ...shape(1), keys: 16_384 }, timedRuns: 3 };
  const { result } = await call(page, 'serviceAttention', decode);
  expect(result!.roofPlace!.flopsPerByte).toBeCloseTo(1, 1);
  expect(result!.percentOfRoof).toBeLessThanOrEqual(100 + 1e-9);
});

test('a device lost in mid-run is replaced and the job runs once more', async () => {
  const params = { shape: shape(2048), timedRuns: 8, engine };
  const { isLost, error, result } = await call(page, 'attentionWithLoss', params);
  expect(error).toBeUndefined();
  expect(isLost).toBe(true);
  expect(result!.notes[0]).toMatch(/device was lost during this run and the run was repeated once/);
  expect(result!.error).toMatchObject({ withinTolerance: true });
});

test.each(['additive', 'gated-delta', 'prefix-linear'])(
  'a recurrent cell of rule %s equals its reference on the device',
  async (type) => {
    const { result, error } = await call(page, 'serviceRecurrent', {
      shape: { tokens: 300, heads: 2 },
      rule: { type },
      engine: 'webgpu',
      timedRuns: 2,
    });
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ engine: 'webgpu', error: { withinTolerance: true } });
    expect(result!.percentOfCopyRoof).toBeGreaterThan(0);
    expect(result!.timing.samplesSeconds).toHaveLength(2);
  },
);

test.each([
  [{ type: 'mom', memories: 3, topK: 2, hasShared: true }, { convolutionWidth: 3 }],
  [{ type: 'mom', memories: 1, topK: 1 }, {}],
  [{ type: 'lmu', thetaTokens: 64 }, {}],
  [
    { type: 'lmu', thetaTokens: 300 },
    { shape: { tokens: 97, heads: 3, keySize: 128, valueSize: 70 } },
  ],
  [{ type: 'lmu', thetaTokens: 5 }, { shape: { tokens: 1, heads: 1, keySize: 1, valueSize: 1 } }],
])('a recurrent cell of %j equals its reference on the device', async (rule, more) => {
  const { result, error } = await call(page, 'serviceRecurrent', {
    shape: { batch: 2, tokens: 150, heads: 2, keySize: 20, valueSize: 12 },
    rule,
    engine: 'webgpu',
    timedRuns: 2,
    ...more,
  });
  expect(error).toBeUndefined();
  expect(result).toMatchObject({ engine: 'webgpu', error: { withinTolerance: true } });
  expect(result!.plan).toBeDefined();
});

test.each([
  { type: 'gated-delta' },
  { type: 'gated', normalise: true },
  { type: 'mom', memories: 3, topK: 2, hasShared: true },
])('a software adapter leaves a recurrent cell of %j to WebAssembly', async (rule) => {
  const { result, error } = await call(page, 'serviceRecurrent', {
    shape: { tokens: 301, heads: 3, keySize: 20, valueSize: 12 },
    rule,
    timedRuns: 2,
  });
  expect(error).toBeUndefined();
  expect(result).toMatchObject({
    engine: 'wasm',
    engineNote: expect.stringContaining('slower than WebAssembly'),
    adapter: { isFallback: true },
    error: { withinTolerance: true },
  });
  expect(result!.percentOfCopyRoof).toBeGreaterThan(0);
  expect(result!.timing.samplesSeconds).toHaveLength(2);
});

test('a Legendre memory has no WebAssembly kernel: auto takes the software adapter', async () => {
  const params = { shape: { tokens: 97, heads: 1 }, rule: { type: 'lmu' }, timedRuns: 1 };
  const { result } = await call(page, 'serviceRecurrent', params);
  expect(result).toMatchObject({ engine: 'webgpu', error: { withinTolerance: true } });
  const refused = await call(page, 'serviceRecurrent', { ...params, engine: 'wasm' });
  expect(refused.error).toContain('rule lmu has no WebAssembly kernel');
});

test('fast weights run on the CPU and say so, and never on a device', async () => {
  const params = { shape: { tokens: 150, heads: 1, keySize: 8 }, rule: { type: 'lact' } };
  const { result } = await call(page, 'serviceRecurrent', params);
  expect(result).toMatchObject({ engine: 'cpu', engineNote: expect.stringContaining('no kernel') });
  expect(result!.fits).toHaveLength(2);
  const refused = await call(page, 'serviceRecurrent', { ...params, engine: 'webgpu' });
  expect(refused.error).toContain('rule lact has no kernel');
});

test('a NaN in the inputs is named', async () => {
  expect(await call(page, 'nanInput', { shape: shape(32) })).toBe(
    'Error: non-finite value NaN in key at batch 0, head 0, position 0, dim 5',
  );
});

test('a shape beyond the adapter is refused with a sentence', async () => {
  const { error } = await call(page, 'serviceAttention', {
    engine,
    shape: { ...shape(16_384), batch: 16, queryHeads: 64, headSize: 256 },
  });
  expect(error).toMatch(/query needs \d+ MiB, above the limit of \d+ MiB per buffer/);
});

test('engine webgpu without an adapter is an error, engine auto falls back and says why', async () => {
  const bare = await openPage(KERNEL_SCRIPTS, {
    flags: [
      '--no-sandbox',
      '--disable-features=WebGPU',
      '--disable-webgpu',
      '--disable-blink-features=WebGPU',
    ],
  });
  try {
    const params = { shape: shape(64) };
    const asked = await call(bare, 'serviceAttention', { ...params, engine: 'webgpu' });
    expect(asked.error).toMatch(/no WebGPU adapter/);
    const { result } = await call(bare, 'serviceAttention', params);
    expect(result).toMatchObject({ engine: 'wasm', adapter: undefined });
    expect(result!.engineNote).toMatch(/no WebGPU adapter/);
  } finally {
    await bare.close();
  }
});
