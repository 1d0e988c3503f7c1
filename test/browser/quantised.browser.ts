import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORMULA_PRESETS, presetVariant } from '../../lib/attention/presets';
import type { Granularity, QuantisationScheme } from '../../lib/attention/quantise/types';
import type { AttentionShape, AttentionVariant } from '../../lib/spec/kinds/attention';
import { openTests, type TestHost } from './open-tests';
import type { QuantisedTests } from './page/quantised';

let page: TestHost<QuantisedTests>;
beforeAll(async () => {
  page = await openTests<QuantisedTests>({ '/quantised.js': 'test/browser/page/quantised.ts' });
});
afterAll(() => page?.close());

const call: TestHost<QuantisedTests>['call'] = (...args) => page.call(...args);

const scheme = (
  bits: 2 | 4 | 8,
  mode: QuantisationScheme['mode'],
  granularity: Granularity,
  scaleType: QuantisationScheme['scaleType'] = 'f32',
): QuantisationScheme => ({ bits, mode, granularity, scaleType });

const TOKEN = { type: 'token' } as const;
const channel = (groupTokens: number) => ({ type: 'channel', groupTokens }) as const;
const pair = (groupTokens: number) => ({ type: 'rope-pair', groupTokens }) as const;
const grouped = (groupChannels: number) => ({ type: 'grouped', groupChannels }) as const;

const SHAPE: AttentionShape = {
  batch: 2,
  queryHeads: 4,
  kvHeads: 2,
  queries: 1,
  keys: 203,
  headSize: 32,
};
const CAUSAL: AttentionVariant = { type: 'causal' };
const ALIBI = presetVariant(
  FORMULA_PRESETS.find(({ id }) => id === 'alibi') as (typeof FORMULA_PRESETS)[number],
);

/** Every granularity for keys and for values, both modes, widths and storages of scales. */
const SCHEMES: readonly (readonly [string, QuantisationScheme, QuantisationScheme])[] = [
  ['int8 per token', scheme(8, 'symmetric', TOKEN), scheme(8, 'symmetric', TOKEN)],
  ['int4 per token', scheme(4, 'symmetric', TOKEN), scheme(4, 'symmetric', TOKEN)],
  [
    'int4 per token, asymmetric, f16 scales',
    scheme(4, 'asymmetric', TOKEN, 'f16'),
    scheme(4, 'asymmetric', TOKEN, 'f16'),
  ],
  [
    'KIVI: 2 bits, keys per channel over 32 tokens, values per token',
    scheme(2, 'asymmetric', channel(32), 'f16'),
    scheme(2, 'asymmetric', TOKEN, 'f16'),
  ],
  [
    'keys per channel over 64 tokens, symmetric; values in groups',
    scheme(8, 'symmetric', channel(64)),
    scheme(4, 'asymmetric', grouped(8), 'f16'),
  ],
  [
    'keys per channel over groups that blocks straddle; values per channel',
    scheme(4, 'asymmetric', channel(20)),
    scheme(8, 'asymmetric', channel(50), 'f16'),
  ],
  [
    'keys tied over RoPE pairs, groups across blocks; values in groups',
    scheme(4, 'symmetric', pair(48), 'f16'),
    scheme(8, 'symmetric', grouped(4)),
  ],
  [
    'keys tied over RoPE pairs, whole blocks; values tied too',
    scheme(8, 'asymmetric', pair(128), 'f16'),
    scheme(4, 'symmetric', pair(7)),
  ],
  [
    'keys in groups; values of 2 bits per channel',
    scheme(4, 'asymmetric', grouped(16)),
    scheme(2, 'symmetric', channel(11)),
  ],
];
const INT8 = { key: SCHEMES[0]![1], value: SCHEMES[0]![2] };
const INT4 = { key: SCHEMES[2]![1], value: SCHEMES[2]![2] };

test('the test browser has subgroups, so that all kernels are run', async () => {
  expect(await call('adapter')).toMatchObject({ hasSubgroups: true });
});

const KERNELS = ['texels', 'quad', 'tile'] as const;

describe.each(KERNELS)('packed %s kernel', (kernel) => {
  describe('equals f64 attention over the dequantised tensors', () => {
    test.each(SCHEMES)('%s', async (_, key, value) => {
      const result = await call('runQuantised', kernel, SHAPE, CAUSAL, { key, value });
      expect(result).toMatchObject({ withinTolerance: true, checkedRows: 8 });
      expect(result.distance).toBeGreaterThan(1e-4);
      // Rows of codes in textures are whole texels of 128 bits.
      expect(result.cacheBytes).toBeGreaterThanOrEqual(result.bytes);
      if (kernel !== 'texels') expect(result.cacheBytes).toBe(result.bytes);
    });

    test.each([
      ['a sequence of length 1', { keys: 1 }],
      ['GQA 8:2', { queryHeads: 8, kvHeads: 2 }],
      ['MQA 8:1', { queryHeads: 8, kvHeads: 1 }],
      ['MHA 3:3', { queryHeads: 3, kvHeads: 3 }],
      ['8 queries, GQA 6:2', { queries: 8, queryHeads: 6, kvHeads: 2 }],
      ['5 queries over 3 keys: fully masked rows', { queries: 5, keys: 3 }],
      ['one whole block', { keys: 64 }],
      ['head size 8', { headSize: 8 }],
      ['head size 24', { headSize: 24 }],
      ['head size 72', { headSize: 72 }],
      ['head size 128', { headSize: 128 }],
      ['head size 256', { headSize: 256 }],
    ])('%s', async (_, change) => {
      const shape = { ...SHAPE, ...change };
      for (const schemes of [INT8, INT4]) {
        const result = await call('runQuantised', kernel, shape, CAUSAL, schemes);
        expect(result).toMatchObject({ withinTolerance: true });
      }
    });

    test.each<AttentionVariant>([
      { type: 'dense' },
      { type: 'window-sinks', windowTokens: 40, sinkTokens: 4 },
      { type: 'documents', meanDocumentTokens: 30, causal: true },
      ALIBI,
    ])('variant $type', async (variant) => {
      const shape = { ...SHAPE, queries: 3 };
      const result = await call('runQuantised', kernel, shape, variant, INT4);
      expect(result).toMatchObject({ withinTolerance: true });
    });
  });

  test('any number of splits merges to the same attention', async () => {
    for (const splits of [1, 2, 3, 7]) {
      const result = await call('runQuantised', kernel, SHAPE, CAUSAL, INT4, { splits });
      expect(result).toMatchObject({ withinTolerance: true, splits });
    }
  });

  test('over many submits, twice', async () => {
    const options = { gigaflopsPerSecond: 1e-4, runs: 2 };
    const result = await call('runQuantised', kernel, SHAPE, CAUSAL, INT8, options);
    expect(result).toMatchObject({ withinTolerance: true, submits: 4 });
  });

  test('stops between submits when aborted, and starts anew', async () => {
    expect(await call('abortAndRunAgain', kernel, SHAPE, INT4)).toEqual({
      ended: expect.stringContaining('AbortError'),
      submits: 4,
      withinTolerance: true,
    });
  });

  test('more bits are nearer to unquantised attention', async () => {
    const distances: number[] = [];
    for (const bits of [2, 4, 8] as const) {
      const each = scheme(bits, 'asymmetric', TOKEN);
      const schemes = { key: each, value: each };
      distances.push((await call('runQuantised', kernel, SHAPE, CAUSAL, schemes)).distance);
    }
    expect(distances[1]).toBeLessThan(distances[0]! / 2);
    expect(distances[2]).toBeLessThan(distances[1]! / 8);
  });
});

describe.each(KERNELS)('paged %s kernel', (kernel) => {
  describe.each([16, 32] as const)('pages of %i', (pageTokens) => {
    test.each([
      ['ragged lengths, one of them 1', SHAPE, [203, 1]],
      ['GQA 8:2, lengths around a page', { queryHeads: 8, batch: 5 }, [16, 17, 31, 32, 33]],
      ['MQA 8:1', { queryHeads: 8, kvHeads: 1, batch: 3 }, [64, 65, 2]],
      ['MHA 3:3', { queryHeads: 3, kvHeads: 3 }, [7, 120]],
      ['4 queries, some before the first key', { queries: 4, batch: 3 }, [1, 3, 150]],
      ['head size 8', { headSize: 8 }, [40, 99]],
      ['head size 80', { headSize: 80 }, [40, 99]],
      ['head size 256', { headSize: 256 }, [40, 99]],
    ] as const)('%s', async (_, change, lengths) => {
      const shape = { ...SHAPE, ...change };
      for (const isCausal of [false, true]) {
        const each = { shape, pageTokens, lengths: [...lengths], isCausal };
        const { errors, isSameInAnyOrder } = await call('runPaged', kernel, each);
        expect(errors).toHaveLength(shape.batch);
        for (const error of errors) expect(error).toMatchObject({ withinTolerance: true });
        expect(isSameInAnyOrder).toBe(true);
      }
    });

    test('any number of splits and submits merges to the same attention', async () => {
      const each = { shape: SHAPE, pageTokens, lengths: [203, 20], isCausal: true };
      for (const splits of [1, 2, 5, 13]) {
        const options = { splits, gigaflopsPerSecond: 1e-4, runs: 2 };
        const result = await call('runPaged', kernel, each, options);
        expect(result.splits).toBe(splits);
        for (const error of result.errors) expect(error).toMatchObject({ withinTolerance: true });
      }
    });

    test.for(['half-words', 'half'] as const)('pools stored as %s', async (storage, { skip }) => {
      const isNative = storage === 'half';
      const lacks = isNative && (await call('chosenStorage')) !== 'half';
      skip(lacks, 'the adapter of these tests has no shader-f16');
      const change = { queryHeads: 8, batch: 3, queries: 2 };
      const lengths = [40, 97, 203];
      const each = { shape: { ...SHAPE, ...change }, pageTokens, lengths, isCausal: true };
      const half = await call('runPaged', kernel, { ...each, storage });
      for (const error of half.errors) expect(error).toMatchObject({ withinTolerance: true });
      const { cacheBytes } = await call('runPaged', kernel, each);
      expect(half.cacheBytes / cacheBytes).toBeCloseTo(0.5, 2);
    });

    test('equals the contiguous kernel', async () => {
      const each = { shape: SHAPE, pageTokens, lengths: [203, 203], isCausal: false };
      const difference = await call('pagedFromContiguous', kernel, each);
      expect(difference.output).toBeLessThan(5e-6);
      expect(difference.lse).toBeLessThan(5e-6);
    });
  });
});

test('refuses tensors that do not fit each other', async () => {
  const shape = { ...SHAPE, keys: 40 };
  const each = { shape, pageTokens: 16, lengths: [40, 3], isCausal: false } as const;
  expect(await call('pagedFailure', each, { lengths: [40, 0] })).toBe(
    'RangeError: invalid lengths[1]: 0 (expected 1..40)',
  );
  expect(await call('pagedFailure', each, { lengths: [40] })).toBe(
    'RangeError: invalid lengths length: 1 (expected 2)',
  );
  expect(await call('pagedFailure', each, { table: [0, 1, 2, 3, 9, 9] })).toBe('no error');
  expect(await call('pagedFailure', each, { table: [0, 1, 7, 3, 0, 0] })).toBe(
    'RangeError: invalid blockTable[0, 2]: 7 (expected 0..6)',
  );
  expect(await call('quantisedFailure', shape, INT8, { ...shape, keys: 41 })).toBe(
    'RangeError: invalid key shape: 4 x 40 x 32 (expected 4 x 41 x 32)',
  );
  expect(await call('quantisedFailure', shape, INT8, { ...shape, queries: 9 })).toBe(
    'RangeError: invalid queries: 9 (expected 1..8)',
  );
  expect(await call('quantisedFailure', shape, INT8, { ...shape, queries: 2 })).toBe(
    'RangeError: invalid query length: 256 (expected 512)',
  );
});
