import { afterAll, describe, expect, test } from 'vitest';
import type { QuantisationScheme } from '../../lib/attention/quantise/types';
import { type AttentionPlan, PLANS } from '../../lib/gpu/plans';
import { attentionParams } from '../../lib/spec/kinds/attention';
import { decodeParams } from '../../lib/spec/kinds/decode';
import { openTests } from './open-tests';
import type { AdapterTests } from './page/adapter';

/**
 * One small kernel of every make over shapes that share it: what an adapter of another subgroup
 * size, or with 16-bit floats, can get wrong, without minutes of compiling.
 */
// Opened before tests are collected: an adapter that is missing fails the file with a sentence, where
// a hook that fails would show every test as skipped.
const page = await openTests<AdapterTests>({ '/adapter.js': 'test/browser/page/adapter.ts' });
afterAll(() => page.close());

const SHAPE = { batch: 1, queryHeads: 4, kvHeads: 2, queries: 65, keys: 65, headSize: 16 };
const CASES = [
  ['GQA, ragged blocks', { queries: 130, keys: 130 }],
  ['fewer queries than keys, batch 2', { batch: 2, queries: 33, keys: 150 }],
  ['rows that see no key', { queries: 70, keys: 40 }],
  ['head size 4', { headSize: 4 }],
  ['head size 12', { headSize: 12 }],
] as const;
const DECODE_CASES = [
  ['one query', { queries: 1, keys: 300 }],
  ['five queries, batch 2', { batch: 2, queries: 5, keys: 217 }],
  ['rows that see no key', { queries: 5, keys: 3 }],
  ['head size 12', { queries: 3, headSize: 12 }],
] as const;

const causal = (change: object) =>
  attentionParams.parse({ shape: { ...SHAPE, ...change }, variant: { type: 'causal' }, seed: 3 });
const casesOf = (family: AttentionPlan['family']) => (family === 'prefill' ? CASES : DECODE_CASES);
const cells = PLANS.map(({ id, family }) => [id, family] as const);

test.each(cells)('plan %s (%s) equals the f64 reference', async (plan, family) => {
  for (const [name, change] of casesOf(family)) {
    const error = await page.call('runSmall', plan, causal(change), 'f32');
    expect(error, name).toMatchObject({ withinTolerance: true });
  }
});

test.each(cells)(
  'plan %s (%s) over f16, the way of this adapter, equals f64 over rounded tensors',
  async (plan, family) => {
    const storage = await page.call('chosenStorage');
    for (const [name, change] of casesOf(family)) {
      const error = await page.call('runSmall', plan, causal(change), storage);
      expect(error, name).toMatchObject({ withinTolerance: true });
    }
  },
);

test.each([
  ['contiguous', { type: 'contiguous' }],
  ['in pages', { type: 'paged', pageTokens: 16 }],
])('a decode step over 16 bits %s is right and says how it was read', async (_, layout) => {
  const types = ['f16', 'bf16'];
  const params = decodeParams.parse({
    shape: { ...SHAPE, batch: 2, queries: 1, keys: 150 },
    storages: types.map((type) => ({ name: type, key: { type }, value: { type } })),
    layout,
    timedRuns: 1,
  });
  const { storages, notes } = await page.call('runStep', 'tile-split', params);
  for (const { kernelError } of storages) {
    expect(kernelError).toMatchObject({ withinTolerance: true });
  }
  const isNative = (await page.call('chosenStorage')) === 'half';
  expect(storages[0]!.plan).toMatch(isNative ? /, f16$/ : /, f16 from words$/);
  expect(storages[1]!.plan).toMatch(/, bf16 from words$/);
  expect(notes.join('\n')).toMatch(isNative ? /as f16 of the/ : /no shader-f16: two f16/);
  expect(notes.join('\n')).not.toMatch(/discarded/);
});

test.each([
  ['contiguous', { type: 'contiguous' }],
  ['in pages', { type: 'paged', pageTokens: 32 }],
])('a decode step over textures %s keeps what no texture holds in buffers', async (_, layout) => {
  const types = ['f32', 'f16', 'bf16'];
  const params = decodeParams.parse({
    shape: { ...SHAPE, batch: 2, queries: 1, keys: 150 },
    storages: types.map((type) => ({ name: type, key: { type }, value: { type } })),
    layout,
    timedRuns: 1,
  });
  const { storages, notes } = await page.call('runStep', 'texels-split-2', params, 'tile-split');
  for (const { kernelError } of storages) {
    expect(kernelError).toMatchObject({ withinTolerance: true });
  }
  expect(storages[0]!.plan).toMatch(/texels|textures/);
  expect(storages[1]!.plan).toMatch(/(texels|textures).*, f16 texels$/);
  expect(storages[2]!.plan).toMatch(/(tile|shared memory).*, bf16 from words$/);
  expect(notes.join('\n')).toMatch(/as f16 texels/);
  expect(notes.join('\n')).not.toMatch(/discarded/);
});

const int4: QuantisationScheme = {
  bits: 4,
  mode: 'asymmetric',
  granularity: { type: 'token' },
  scaleType: 'f16',
};

describe.each(['tile', 'quad'] as const)('%s kernels', (kernel) => {
  test('over int4 equal f64 over the dequantised tensors', async () => {
    for (const keys of [1, 64, 203]) {
      const shape = { ...SHAPE, queries: 1, keys };
      const schemes = { key: int4, value: int4 };
      const result = await page.call('runQuantised', kernel, shape, { type: 'causal' }, schemes);
      expect(result, `${keys} keys`).toMatchObject({ withinTolerance: true });
    }
  });
});

test.each(['tile', 'quad', 'texels'] as const)(
  '%s kernels over pages equal f64 over each sequence',
  async (kernel) => {
    const shape = { ...SHAPE, batch: 3, queries: 2, keys: 120 };
    const each = { shape, pageTokens: 16, lengths: [1, 33, 120], isCausal: true } as const;
    const { errors } = await page.call('runPaged', kernel, each);
    for (const error of errors) expect(error).toMatchObject({ withinTolerance: true });
  },
);

test.each(['recurrent-quad-4x1', 'recurrent-fours-16', 'recurrent-lane'])(
  'plan %s equals the f64 reference',
  async (plan) => {
    const rule = { type: 'delta' } as const;
    for (const tokens of [1, 65]) {
      const shape = { batch: 2, heads: 2, tokens, keySize: 12, valueSize: 10 };
      const result = await page.call('runRule', plan, rule, shape);
      expect(result, `${tokens} tokens`).toMatchObject({ withinTolerance: true });
    }
  },
);
