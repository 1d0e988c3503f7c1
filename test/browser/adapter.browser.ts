import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QuantisationScheme } from '../../lib/attention/quantise/types';
import { attentionParams } from '../../lib/spec/kinds/attention';
import { openTests, type TestHost } from './open-tests';
import type { AdapterTests } from './page/adapter';

/**
 * One small kernel of every make over shapes that share it: what an adapter of another subgroup
 * size, or with 16-bit floats, can get wrong, without minutes of compiling.
 */
let page: TestHost<AdapterTests>;
beforeAll(async () => {
  page = await openTests<AdapterTests>({ '/adapter.js': 'test/browser/page/adapter.ts' });
});
afterAll(() => page?.close());

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
const PREFILL_PLANS = ['tile-32x32', 'quad-16x2', 'quad-8x16'];
const DECODE_PLANS = ['tile-split', 'quad-split-1', 'quad-split-4'];

const causal = (change: object) =>
  attentionParams.parse({ shape: { ...SHAPE, ...change }, variant: { type: 'causal' }, seed: 3 });
const cells = [
  ...PREFILL_PLANS.map((plan) => [plan, CASES] as const),
  ...DECODE_PLANS.map((plan) => [plan, DECODE_CASES] as const),
];

test.each(cells)('plan %s equals the f64 reference', async (plan, cases) => {
  for (const [name, change] of cases) {
    const error = await page.call('runSmall', plan, causal(change), 'f32');
    expect(error, name).toMatchObject({ withinTolerance: true });
  }
});

test.each(['tile-32x32', 'tile-split', 'quad-split-1'])(
  'plan %s over f16, the way of this adapter, equals f64 over rounded tensors',
  async (plan) => {
    const storage = await page.call('chosenStorage');
    for (const [name, change] of plan === 'tile-32x32' ? CASES : DECODE_CASES) {
      const error = await page.call('runSmall', plan, causal(change), storage);
      expect(error, name).toMatchObject({ withinTolerance: true });
    }
  },
);

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

  test('over pages equal f64 over each sequence', async () => {
    const shape = { ...SHAPE, batch: 3, queries: 2, keys: 120 };
    const each = { shape, pageTokens: 16, lengths: [1, 33, 120], isCausal: true } as const;
    const { errors } = await page.call('runPaged', kernel, each);
    for (const error of errors) expect(error).toMatchObject({ withinTolerance: true });
  });
});

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
