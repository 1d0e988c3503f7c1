import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STORAGE_PRESETS } from '../../lib/attention/quantise/presets';
import { call, KERNEL_SCRIPTS } from './call';
import { openPage, type TestPage } from './open-page';

let page: TestPage;
beforeAll(async () => {
  page = await openPage(KERNEL_SCRIPTS);
});
afterAll(() => page?.close());

const shape = { queryHeads: 8, kvHeads: 2, keys: 500, headSize: 64 };
const webgpu = { engine: 'webgpu', shape, timedRuns: 2 };
const scheme = (bits: number, granularity: object = { type: 'token' }) => ({
  type: 'quantised',
  bits,
  granularity,
});

describe('on the device', () => {
  test.each(STORAGE_PRESETS.map(({ id }) => id))('preset %s is within tolerance', async (id) => {
    const { result, error } = await call(page, 'serviceDecode', webgpu, id);
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ engine: 'webgpu', engineNote: undefined });
    expect(result!.notes.join()).toMatch(/software adapter/);
    expect(result!.notes.join()).not.toMatch(/differs|discarded/);
    for (const storage of result!.storages) {
      expect(storage.kernelError).toMatchObject({ withinTolerance: true });
      expect(storage.kernelError!.checkedRows).toBe(storage.kernelError!.totalRows);
      expect(storage.splits).toBeGreaterThan(0);
      expect(storage.submits).toBeGreaterThan(0);
      expect(storage.percentOfCopyRoof).toBeGreaterThan(0);
      expect(storage.roofPlace!.percent).toBeGreaterThan(0);
      expect(storage.roofPlace!.percent).toBeLessThanOrEqual(100 + 1e-6);
      expect(storage.timing.samplesSeconds).toHaveLength(2);
      expect(storage.plan).toMatch(/split-KV/);
    }
    const [f32, ...others] = result!.storages;
    expect(f32!.error.relativeL2).toBeLessThan(1e-4);
    for (const each of others) {
      const isPacked = each.word !== undefined;
      expect(each.error.relativeL2).toBeGreaterThan(10 * f32!.error.relativeL2);
      // Differences are kept sparsely, as many as these keys have, and added up before the kernel.
      const isSparse = id === 'delta';
      const least = isSparse ? 1 : isPacked ? 3 : 1.9;
      expect(each.bytesPerToken).toBeLessThan(f32!.bytesPerToken / least);
      // Kernels read what is kept, and no more.
      const tableBytes = result!.paged?.tableBytes ?? 0;
      if (isSparse) expect(each.readBytes).toBe(f32!.readBytes);
      else expect(each.readBytes).toBe(each.key.total + each.value.total + tableBytes);
    }
  });

  test('masks, several queries, a batch and a number of splits reach the kernels', async () => {
    const params = {
      ...webgpu,
      shape: { ...shape, batch: 2, queries: 4, headSize: 128 },
      variant: { type: 'window-sinks', windowTokens: 100, sinkTokens: 4 },
      storages: [
        { name: 'f32' },
        { name: 'int8', key: scheme(8), value: scheme(8) },
        { name: 'keys only', key: scheme(2, { type: 'channel', groupTokens: 16 }) },
      ],
      splits: 3,
    };
    const { result, error } = await call(page, 'serviceDecode', params);
    expect(error).toBeUndefined();
    const [f32, int8, keysOnly] = result!.storages;
    for (const each of result!.storages) {
      expect(each).toMatchObject({ splits: 3, kernelError: { withinTolerance: true } });
      expect(each.readBytes).toBeLessThan((each.key.total + each.value.total) * 4);
    }
    // A window of 100 of 500 keys is read, not the whole cache.
    expect(f32!.readBytes).toBeLessThan((f32!.key.total + f32!.value.total) / 2);
    expect(int8!.readBytes).toBeLessThan(f32!.readBytes / 3);
    expect(keysOnly!.readBytes).toBe(f32!.readBytes);
    expect(keysOnly!.valueError.maxAbs).toBe(0);
    expect(result!.notes.join()).toMatch(/packed keys and f32 values has no kernel of its own/);
  });

  test('shared pages are read by every sequence, and counted once', async () => {
    const layout = { type: 'paged', pageTokens: 32, lengths: 'ragged', sharedPrefixTokens: 70 };
    const params = {
      ...webgpu,
      shape: { ...shape, batch: 3, queries: 2 },
      variant: { type: 'dense' },
      storages: [{ name: 'f32' }],
      layout,
    };
    const { result, error } = await call(page, 'serviceDecode', params);
    expect(error).toBeUndefined();
    expect(result!.paged).toMatchObject({ sharedPages: 2 });
    expect(result!.storages[0]!.kernelError).toMatchObject({ withinTolerance: true });
    const { pageBytes, tableBytes } = result!.paged!;
    expect(result!.storages[0]!.readBytes).toBe(pageBytes + tableBytes);
  });

  test.each([
    ['contiguous', { type: 'contiguous' }],
    ['in pages', { type: 'paged', pageTokens: 16, lengths: 'ragged', sharedPrefixTokens: 70 }],
  ])('16 bits %s are read as they are kept, and how is told', async (_, layout) => {
    const types = ['f32', 'f16', 'bf16'];
    const params = {
      ...webgpu,
      shape: { ...shape, batch: 3, queries: 2 },
      storages: [
        ...types.map((type) => ({ name: type, key: { type }, value: { type } })),
        { name: 'keys only', key: { type: 'f16' }, value: { type: 'f32' } },
      ],
      layout,
    };
    const { result, error } = await call(page, 'serviceDecode', params);
    expect(error).toBeUndefined();
    const [f32, f16, bf16, keysOnly] = result!.storages;
    for (const each of result!.storages) {
      expect(each.kernelError).toMatchObject({ withinTolerance: true });
    }
    const tableBytes = result!.paged?.tableBytes ?? 0;
    for (const each of [f16!, bf16!]) {
      expect(each.readBytes - tableBytes).toBe((f32!.readBytes - tableBytes) / 2);
      expect(each.key.total).toBe(f32!.key.total / 2);
    }
    expect(f16!.error.relativeL2).toBeGreaterThan(10 * f32!.error.relativeL2);
    expect(bf16!.error.relativeL2).toBeGreaterThan(4 * f16!.error.relativeL2);
    expect(keysOnly!.readBytes).toBe(f32!.readBytes);
    expect(keysOnly!.valueError.maxAbs).toBe(0);
    const hasHalf = result!.adapter!.hasShaderF16;
    const isInTexels = /split-KV.*, f16 texels$/.test(f16!.plan ?? '');
    if (!isInTexels)
      expect(f16!.plan).toMatch(hasHalf ? /split-KV.*, f16$/ : /split-KV.*, f16 from words$/);
    expect(bf16!.plan).toMatch(/split-KV.*, bf16 from words$/);
    const notes = result!.notes.join('\n');
    const asWords = hasHalf ? /as f16 of the shading language/ : /no shader-f16: two f16/;
    expect(notes).toMatch(isInTexels ? /read as f16 texels/ : asWords);
    expect(notes).toMatch(/no bf16: two numbers per word, unpacked by shifts/);
    expect(notes).toMatch(/f16 keys and f32 values has no kernel of its own/);
  });

  test('a cancelled step stops, and the next one is right', async () => {
    const params = {
      ...webgpu,
      shape: { ...shape, keys: 8192 },
      timedRuns: 50,
      storages: [{ name: 'int4', key: scheme(4), value: scheme(4) }],
    };
    const phases = ['storing keys', 'timing'];
    for (const phase of phases) {
      const { ended, next } = await call(page, 'cancelDecode', params, phase);
      expect(ended).toMatch(/AbortError/);
      expect(next).toEqual([true]);
    }
  });
});

test('on a software adapter engine auto runs WebAssembly and says what it read', async () => {
  const { result, error } = await call(
    page,
    'serviceDecode',
    { shape, timedRuns: 2 },
    'int4-token',
  );
  expect(error).toBeUndefined();
  expect(result!.engine).toBe('wasm');
  expect(result!.roof!.copyGigabytesPerSecond).toBeGreaterThan(0.1);
  expect(result!.adapter).toMatchObject({ isFallback: true });
  expect(result!.engineNote).toMatch(/adapter here is software .* slower than WebAssembly/);
  expect(result!.notes.join()).toMatch(
    /dequantised tensors: the bytes that it reads.* are those of f32/,
  );
  const [f32, f16, int8, int4] = result!.storages;
  for (const each of result!.storages) {
    expect(each.kernelError).toMatchObject({ withinTolerance: true });
    expect(each.readBytes).toBe(f32!.readBytes);
    expect(each.splits).toBeUndefined();
    expect(each.percentOfCopyRoof).toBeGreaterThan(0);
    expect(each.percentOfCopyRoof).toBeLessThanOrEqual(100 + 1e-6);
    expect(each.roofPlace!.percent).toBeLessThanOrEqual(100 + 1e-6);
    expect(each.roofPlace!.percent).toBeGreaterThan(0);
  }
  expect(f16!.error.relativeL2).toBeLessThan(int8!.error.relativeL2);
  expect(int8!.error.relativeL2).toBeLessThan(int4!.error.relativeL2);
});

test('both engines find the same error of a storage', async () => {
  const errors: number[] = [];
  for (const engine of ['webgpu', 'wasm', 'cpu']) {
    const { result } = await call(page, 'serviceDecode', { ...webgpu, engine }, 'grouped-32');
    errors.push(result!.storages[2]!.error.relativeL2);
  }
  expect(errors[1]! / errors[0]!).toBeCloseTo(1, 3);
  expect(errors[2]! / errors[0]!).toBeCloseTo(1, 3);
});
