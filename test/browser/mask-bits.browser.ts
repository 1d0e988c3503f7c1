import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toTokens } from '../../lib/formula/tokens';
import { countNodes } from '../../lib/formula/tree';
import { attentionParams } from '../../lib/spec/kinds/attention';
import { attentionSelection } from '../../lib/spec/kinds/selection';
import { maskTree } from '../unit/formula/arbitrary';
import { call, KERNEL_SCRIPTS } from './call';
import { openTests, type TestHost } from './open-tests';
import type { KernelTests } from './page/entry';

let page: TestHost<KernelTests>;
beforeAll(async () => {
  page = await openTests<KernelTests>(KERNEL_SCRIPTS);
});
afterAll(() => page?.close());

const PLAN = 'rows-8x4';
const SHAPE = { batch: 2, queryHeads: 4, kvHeads: 2, queries: 130, keys: 200, headSize: 4 };

test.each(['a-shape', 'vertical-slash', 'moba', 'pbs', 'pattern-search', 'block-sparse'])(
  'bits of keys selected by %s, per head and batch entry, equal the formula',
  async (type) => {
    const params = attentionParams.parse({
      shape: SHAPE,
      variant: { type: 'causal' },
      select: attentionSelection.parse({ type }),
      seed: 5,
    });
    const bits = await call(page, 'maskBits', PLAN, params);
    expect(bits).toMatchObject({ isByBits: true, wrong: 0 });
    expect(bits.seen).toBeGreaterThan(0);
  },
);

/** Random masks with the same seed in every run, each beside a table, so that they are made as bits. */
const random = fc.sample(
  maskTree.filter((mask) => countNodes(mask) <= 40),
  { seed: 23, numRuns: 24 },
);

test.each(random.map((mask, i) => [i, mask] as const))(
  'bits of random mask %i equal the formula',
  async (_, mask) => {
    const variant = {
      type: 'formula',
      mask: [...toTokens(mask), 'k', 'document', 3, '>=', 'or'],
      score: [],
      numbers: [
        { name: 'window', value: 7, min: 0, max: 40 },
        { name: 'cap', value: 2.5, min: 0.5, max: 9, step: 0.01 },
      ],
      tables: [
        { name: 'document', source: 'segments', meanTokens: 6 },
        { name: 'bias', source: 'normal', entries: 12 },
      ],
    };
    const shape = { ...SHAPE, queries: 70, keys: 45 };
    const params = attentionParams.parse({ shape, variant, seed: 5 });
    const bits = await call(page, 'maskBits', PLAN, params);
    expect(bits.wrong).toBe(0);
    // All that is partial, or nothing is.
    expect(bits.isByBits).toBe(bits.partial > 0);
  },
);

test('a mask of comparisons alone stays a formula', async () => {
  const params = attentionParams.parse({ shape: SHAPE, variant: { type: 'causal' }, seed: 5 });
  const bits = await call(page, 'maskBits', PLAN, params);
  expect(bits).toMatchObject({ isByBits: false });
  expect(bits.partial).toBeGreaterThan(0);
});
