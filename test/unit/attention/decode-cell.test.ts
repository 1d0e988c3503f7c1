import { describe, expect, test } from 'vitest';
import { decodeCall } from '../../../lib/attention/decode/call';
import { firstWord } from '../../../lib/attention/decode/word';
import { tensorError } from '../../../lib/attention/quantise/error';
import { unpackCodes } from '../../../lib/attention/quantise/pack';
import { applyPreset, presetOf, STORAGE_PRESETS } from '../../../lib/attention/quantise/presets';
import { dequantise, quantise } from '../../../lib/attention/quantise/quantise';
import { attentionReference } from '../../../lib/attention/reference';
import { decodeOnCpu } from '../../../lib/gpu/decode-on-cpu';
import { decodeOnWasm } from '../../../lib/gpu/decode-on-wasm';
import { runDecode } from '../../../lib/gpu/run-decode';
import { type DecodeParams, decodeParams } from '../../../lib/spec/kinds/decode';

const SMALL = { batch: 2, queryHeads: 4, kvHeads: 2, keys: 203, headSize: 32 };
const storage = (bits: number, granularity: object = { type: 'token' }, mode = 'asymmetric') => ({
  type: 'quantised',
  bits,
  mode,
  granularity,
});
const both = (name: string, each: object) => ({ name, key: each, value: each });
const parse = (params: object) =>
  decodeParams.parse({ shape: SMALL, engine: 'cpu', timedRuns: 1, ...params });
const run = (params: DecodeParams, runner = decodeOnCpu) =>
  runDecode(params, runner, new AbortController().signal, () => undefined);
const onWasm = () => decodeOnWasm(undefined, undefined, undefined);

describe('params', () => {
  const problems = (params: object) => {
    const parsed = decodeParams.safeParse(params);
    return parsed.success
      ? []
      : parsed.error.issues.map(({ path, message }) => [path.join('.'), message]);
  };

  test('nothing at all is a valid cell', () => {
    const params = decodeParams.parse({});
    expect(params.storages.map(({ name }) => name)).toEqual(['f32', 'int8 per token']);
    expect(params.storages[1]!.key).toMatchObject({ bits: 8, granularity: { type: 'token' } });
  });

  test('what a kernel cannot run is told with its place', () => {
    const shape = { headSize: 24 };
    expect(problems({ shape, storages: [both('two', storage(2))] })).toEqual([
      ['storages.0.key', 'expected a headSize that is a multiple of 16 for 2 bits'],
      ['storages.0.value', 'expected a headSize that is a multiple of 16 for 2 bits'],
    ]);
    const group = storage(8, { type: 'grouped', groupChannels: 32 });
    expect(problems({ shape, storages: [{ name: 'x', key: group }] })).toEqual([
      ['storages.0.key', 'expected groupChannels to divide headSize 24'],
    ]);
    expect(
      problems({ storages: [both('a', { type: 'f32' }), both('a', { type: 'f32' })] }),
    ).toEqual([['storages.1.name', 'duplicate name: "a"']]);
    const paged = { type: 'paged', sharedPrefixTokens: 999 };
    expect(
      problems({
        shape: { keys: 100 },
        layout: paged,
        variant: { type: 'sliding-window' },
        storages: [{ name: 'x', value: storage(8) }],
      }),
    ).toEqual([
      [
        'storages.0.value',
        'expected type f32, f16 or bf16: pages hold no packed codes and no differences',
      ],
      ['variant', 'expected type dense or causal in a paged layout'],
      ['layout.sharedPrefixTokens', 'expected at most keys 100'],
    ]);
    expect(problems({ shape: { queries: 9 } })).toHaveLength(1);
  });
});

describe('presets', () => {
  test.each(STORAGE_PRESETS.map((each) => [each.id, each] as const))('%s', (_, preset) => {
    const applied = applyPreset(parse({ variant: { type: 'sliding-window' } }), preset);
    const params = decodeParams.parse(applied);
    expect(params).toEqual(applied);
    expect(presetOf(params)).toBe(preset);
    expect(preset.note).toMatch(/\.$/);
    expect(preset.source).not.toBe('');
    const again = decodeParams.parse(JSON.parse(JSON.stringify(params)));
    expect(presetOf(again)).toBe(preset);
  });

  test('changed storages are no preset any more', () => {
    const params = decodeParams.parse(applyPreset(parse({}), STORAGE_PRESETS[0]!));
    const [first, second] = params.storages;
    expect(presetOf({ ...params, storages: [first!, { ...second!, name: 'other' }] })).toBe(
      undefined,
    );
  });
});

describe('laws of storages', () => {
  test('more bits are nearer, in the tensors, the output and the LSE', async () => {
    const { storages } = await run(
      parse({ storages: [2, 4, 8].map((bits) => both(`${bits}`, storage(bits))) }),
    );
    const [two, four, eight] = storages as [(typeof storages)[0], ...typeof storages];
    for (const each of [two, four, eight]) expect(each!.kernelError).toBe(undefined);
    expect(four!.error.relativeL2).toBeLessThan(two.error.relativeL2 / 2);
    expect(eight!.error.relativeL2).toBeLessThan(four!.error.relativeL2 / 8);
    expect(eight!.error.lseMaxAbs).toBeLessThan(four!.error.lseMaxAbs);
    // Each bit is worth 6 dB.
    expect(
      four!.keyError.signalToNoiseDecibels - two.keyError.signalToNoiseDecibels,
    ).toBeGreaterThan(10);
    expect(
      eight!.keyError.signalToNoiseDecibels - four!.keyError.signalToNoiseDecibels,
    ).toBeCloseTo(24, -1);
  });

  test('f32 is exact where the reference runs, and within f32 in WebAssembly', async () => {
    const params = parse({ storages: [{ name: 'f32' }] });
    const [exact] = (await run(params)).storages;
    expect(exact!.error).toMatchObject({ relativeL2: 0, maxAbs: 0, lseMaxAbs: 0 });
    const [rounded] = (await run(params, onWasm())).storages;
    expect(rounded!.error.relativeL2).toBeGreaterThan(0);
    expect(rounded!.error.relativeL2).toBeLessThan(1e-5);
    expect(rounded!.kernelError).toMatchObject({ withinTolerance: true, totalRows: 8 });
  });

  test('key outliers leave exact attention as it was, harm keys per token and not keys per channel', async () => {
    const storages = [
      { name: 'f32' },
      { name: 'token', key: storage(4) },
      { name: 'channel', key: storage(4, { type: 'channel', groupTokens: 32 }) },
    ];
    const [plain, hard] = await Promise.all(
      [0, 16].map((keyOutliers) => run(parse({ storages, keyOutliers }))),
    );
    const errors = (result: typeof plain) => result!.storages.map(({ error }) => error.relativeL2);
    expect(errors(hard)[1]).toBeGreaterThan(2 * errors(plain)[1]!);
    expect(errors(hard)[2]).toBeLessThan(1.05 * errors(plain)[2]!);
    const [a, b] = [0, 16].map((keyOutliers) => decodeCall(parse({ storages, keyOutliers })));
    const [before, after] = [a, b].map((call) => attentionReference(call!.inputs));
    expect(tensorError(after!.output, before!.output).maxAbs).toBeLessThan(1e-5);
    expect(tensorError(after!.lse, before!.lse).maxAbs).toBeGreaterThan(1);
    const changed = a!.inputs.key.filter((value, i) => value !== b!.inputs.key[i]).length;
    expect(changed / a!.inputs.key.length).toBeCloseTo(1 / 32, 10);
  });

  test('scales tied over a RoPE pair commute with the rotation, those of single channels do not', () => {
    const { inputs } = decodeCall(parse({}));
    const [rows, columns, half] = [203, 32, 16];
    const rotate = (tensor: ArrayLike<number>) =>
      Float64Array.from(tensor, (x, i) => {
        const [row, c] = [Math.floor(i / columns), i % columns];
        const angle = row * 10_000 ** (-(c % half) / half);
        const other = tensor[c < half ? i + half : i - half]!;
        return x * Math.cos(angle) + (c < half ? -1 : 1) * other * Math.sin(angle);
      });
    // Scales before or after the rotation of the codes.
    const difference = (type: 'rope-pair' | 'channel') => {
      const each = quantise(
        inputs.key.subarray(0, rows * columns),
        { rows, columns },
        {
          bits: 4,
          mode: 'symmetric',
          granularity: { type, groupTokens: rows },
          scaleType: 'f32',
        },
      );
      const scaleOf = (i: number) => each.scales[i % each.scales.length]!;
      const codes = unpackCodes(each.packed, columns, 4, true);
      const scaledAfter = rotate(codes).map((x, i) => x * scaleOf(i % columns));
      return tensorError(scaledAfter, rotate(dequantise(each))).relativeL2;
    };
    expect(difference('rope-pair')).toBeLessThan(1e-6);
    expect(difference('channel')).toBeGreaterThan(0.05);
  });

  test('bytes add up', async () => {
    const channel = storage(4, { type: 'channel', groupTokens: 32 });
    const { storages } = await run(
      parse({
        storages: [
          { name: 'f32' },
          both('int8', storage(8)),
          { name: 'mixed', key: channel, value: { type: 'f32' } },
          both('symmetric', storage(2, { type: 'grouped', groupChannels: 8 }, 'symmetric')),
        ],
      }),
    );
    const [f32, int8, mixed, symmetric] = storages;
    const tokens = 2 * 203;
    expect(f32).toMatchObject({ bytesPerToken: 2 * 2 * 32 * 4, ratioToF32: 1, ratioToF16: 2 });
    expect(f32!.key).toMatchObject({ scales: 0, zeros: 0, bitsPerElement: 32 });
    // 32 codes of a byte, a scale and a zero of two bytes, for each token and KV head.
    expect(int8!.key).toMatchObject({
      codes: tokens * 2 * 32,
      scales: tokens * 2 * 2,
      zeros: tokens * 2 * 2,
    });
    expect(int8!.bytesPerToken).toBe(2 * 2 * 36);
    expect(int8!.key.bitsPerElement).toBe(9);
    expect(int8!.ratioToF32).toBeCloseTo(9 / 32, 12);
    // 203 tokens are 7 groups of 32, the last one shorter.
    expect(mixed!.key).toMatchObject({
      codes: tokens * 2 * 16,
      scales: 4 * 7 * 32 * 2,
      zeros: 4 * 7 * 32 * 2,
    });
    expect(mixed!.value.bitsPerElement).toBe(32);
    expect(symmetric!.key).toMatchObject({
      zeros: 0,
      scales: tokens * 2 * 4 * 2,
      bitsPerElement: 4,
    });
    for (const { key, value, bytesPerToken } of storages) {
      expect(key.total).toBe(key.codes + key.scales + key.zeros);
      expect(bytesPerToken).toBeCloseTo((key.total + value.total) / tokens, 10);
    }
  });

  test('an error per head is of the whole what its share of the output is', async () => {
    const { storages } = await run(parse({ storages: [both('int4', storage(4))] }));
    const { error } = storages[0]!;
    expect(error.headRelativeL2).toHaveLength(4);
    expect(Math.min(...error.headRelativeL2)).toBeLessThan(error.relativeL2);
    expect(Math.max(...error.headRelativeL2)).toBeGreaterThan(error.relativeL2);
  });

  test('a cancelled step stops', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(
      runDecode(parse({}), decodeOnCpu, controller.signal, () => undefined),
    ).rejects.toThrow(/abort/i);
  });

  test('the word of a storage is codes, scale and zero of its first channels', () => {
    const { inputs } = decodeCall(parse({}));
    const shape = { heads: 4, rows: 203, columns: 32 };
    const scheme = {
      bits: 4,
      mode: 'asymmetric',
      granularity: { type: 'token' },
      scaleType: 'f32',
    } as const;
    const { word, fields } = firstWord(quantise(inputs.key, shape, scheme), inputs.key);
    expect(fields).toHaveLength(8);
    expect(fields.reduce((sum, { code }, i) => sum + code * 16 ** i, 0)).toBe(word);
    for (const { value, original, scale } of fields) {
      expect(Math.abs(value - original)).toBeLessThanOrEqual(scale * 0.5001);
    }
  });
});
