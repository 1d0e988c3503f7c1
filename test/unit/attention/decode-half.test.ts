import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bfloatsToNumbers, roundToBfloats } from '../../../lib/attention/quantise/bfloat';
import { decodeOnCpu } from '../../../lib/gpu/decode-on-cpu';
import { decodeOnWasm } from '../../../lib/gpu/decode-on-wasm';
import { runDecode } from '../../../lib/gpu/run-decode';
import { decodeParams } from '../../../lib/spec/kinds/decode';

const shape = { batch: 3, queryHeads: 4, kvHeads: 2, keys: 203, headSize: 32 };
const both = (type: string, name = type) => ({ name, key: { type }, value: { type } });
const paged = (lengths = 'ragged') => ({
  layout: { type: 'paged', pageTokens: 16, lengths, sharedPrefixTokens: 20 },
});
const onWasm = decodeOnWasm(undefined, undefined, undefined);
const run = (params: object, runner = decodeOnCpu) =>
  runDecode(
    decodeParams.parse({ shape, timedRuns: 1, ...params }),
    runner,
    new AbortController().signal,
    () => undefined,
  );

describe('bf16', () => {
  const bitsOf = (...values: number[]) => [...roundToBfloats(Float32Array.from(values))];
  const rounded = (...values: number[]) => [
    ...bfloatsToNumbers(roundToBfloats(Float32Array.from(values))),
  ];

  test('is the upper half of an f32, ties to even', () => {
    expect(bitsOf(0, -0, 1, -2, 2 ** -126)).toEqual([0, 0x8000, 0x3f80, 0xc000, 0x0080]);
    expect(rounded(1 + 2 ** -8, 1 + 3 * 2 ** -8)).toEqual([1, 1 + 2 ** -6]);
    expect(rounded(1 + 2 ** -8 + 2 ** -20)).toEqual([1 + 2 ** -7]);
    // A carry out of the fraction, and a subnormal number.
    expect(rounded(2 - 2 ** -10, 2 ** -133)).toEqual([2, 2 ** -133]);
  });

  test('is within half a unit of the last place, and rounding again changes nothing', () => {
    const normal = fc.float({ min: 2 ** -126, max: Math.fround(3e38), noNaN: true });
    fc.assert(
      fc.property(fc.tuple(normal, fc.boolean()), ([magnitude, isNegative]) => {
        const value = isNegative ? -magnitude : magnitude;
        const [once] = rounded(value);
        expect(Math.abs(once! - value)).toBeLessThanOrEqual(2 ** -8 * Math.abs(value));
        expect(rounded(once!)).toEqual([once]);
      }),
    );
  });

  test('refuses what it cannot hold, and keeps NaN', () => {
    expect(rounded(Number.NaN, 3.38e38)[0]).toBeNaN();
    expect(() => bitsOf(1, Number.NEGATIVE_INFINITY)).toThrow('invalid bf16: -Infinity at 1');
    expect(() => bitsOf(3.4e38)).toThrow(/^invalid bf16: 3\.\d+e\+38 at 0 \(expected/);
  });
});

describe('a step over 16 bits', () => {
  const int8 = { name: 'int8', key: { type: 'quantised' }, value: { type: 'quantised' } };
  const storages = [both('f32'), both('f16'), both('bf16'), int8];

  test.each([
    ['WebAssembly', onWasm],
    ['the reference', decodeOnCpu],
  ] as const)('errors of %s grow from f32 over f16 and bf16 to int8', async (_, runner) => {
    const result = await run({ storages }, runner);
    const [f32, f16, bf16, codes] = result.storages.map(({ error }) => error.relativeL2);
    expect(f16!).toBeGreaterThan(20 * f32!);
    // Three bits of fraction.
    expect(bf16! / f16!).toBeGreaterThan(5);
    expect(bf16! / f16!).toBeLessThan(12);
    expect(codes!).toBeGreaterThan(2 * bf16!);
    for (const { kernelError } of result.storages) {
      if (runner === onWasm) expect(kernelError).toMatchObject({ withinTolerance: true });
      else expect(kernelError).toBeUndefined();
    }
    expect(result.notes).toContain('f16 keys and values were rounded to f16 and widened to f32');
    expect(result.notes).toContain('bf16 keys and values were rounded to bf16 and widened to f32');
  });

  test('keeps two bytes per number', async () => {
    const [, f16, bf16] = (await run({ storages })).storages;
    for (const each of [f16!, bf16!]) {
      expect(each).toMatchObject({ bytesPerToken: 2 * 2 * 32 * 2, ratioToF32: 0.5, ratioToF16: 1 });
      const codes = 3 * 2 * 203 * 32 * 2;
      const bytes = { codes, scales: 0, zeros: 0, total: codes, bitsPerElement: 16 };
      expect(each).toMatchObject({ key: bytes, value: bytes, word: undefined });
    }
  });

  test('of keys alone leaves values as they were', async () => {
    const mixed = { name: 'keys', key: { type: 'f16' }, value: { type: 'f32' } };
    const { storages: found } = await run({ storages: [both('f16'), mixed] });
    expect(found[1]!.valueError.maxAbs).toBe(0);
    expect(found[1]!.keyError).toEqual(found[0]!.keyError);
    expect(found[1]!.error.relativeL2).toBeLessThan(found[0]!.error.relativeL2);
    expect(found[1]!.ratioToF16).toBe(1.5);
  });
});

describe('pages of 16 bits', () => {
  test('take half, and the pool is that of the first storage', async () => {
    const [wide, narrow] = await Promise.all(
      [
        [both('f32'), both('f16')],
        [both('f16'), both('f32')],
      ].map((storages) => run({ ...paged(), storages })),
    );
    expect(narrow!.paged!.pageBytes).toBe(wide!.paged!.pageBytes / 2);
    expect(narrow!.paged!.savedBytes).toBe(wide!.paged!.savedBytes / 2);
    expect(narrow!.paged!.tableBytes).toBe(wide!.paged!.tableBytes);
    const { lengths, pageBytes, tableBytes } = narrow!.paged!;
    const tokens = lengths.reduce((sum, each) => sum + each, 0);
    const [f16, f32] = narrow!.storages;
    expect(f16!.key.total + f16!.value.total).toBe(pageBytes);
    expect(f32!.key.total).toBe(2 * f16!.key.total);
    expect(f16!.bytesPerToken).toBeCloseTo((pageBytes + tableBytes) / tokens, 10);
    expect(f16!.key.bitsPerElement).toBeCloseTo(f32!.key.bitsPerElement / 2, 12);
  });

  test('of equal lengths give the error of the contiguous cache', async () => {
    // Without a shared prefix the tokens are the same.
    const layout = { ...paged('equal').layout, sharedPrefixTokens: 0 };
    const storages = [both('f16')];
    for (const runner of [decodeOnCpu, onWasm]) {
      const [contiguous, pages] = [
        await run({ storages }, runner),
        await run({ storages, layout }, runner),
      ];
      expect(pages.storages[0]!.error).toEqual(contiguous.storages[0]!.error);
    }
  });

  test('of ragged lengths compare each sequence with itself', async () => {
    const { storages } = await run({ ...paged(), storages: [both('f16'), both('bf16')] }, onWasm);
    for (const { kernelError, error } of storages) {
      expect(kernelError).toMatchObject({ withinTolerance: true, checkedRows: 12 });
      expect(error.relativeL2).toBeGreaterThan(1e-5);
      expect(error.relativeL2).toBeLessThan(2e-2);
    }
  });
});
