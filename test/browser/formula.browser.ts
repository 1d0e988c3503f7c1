import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORMULA_PRESETS, presetVariant } from '../../lib/attention/presets';
import { parseFormula } from '../../lib/formula/parse';
import { toTokens } from '../../lib/formula/tokens';
import { countNodes } from '../../lib/formula/tree';
import { type AttentionParams, attentionParams } from '../../lib/spec/kinds/attention';
import { attentionSelection } from '../../lib/spec/kinds/selection';
import { maskTree, scoreTree } from '../unit/formula/arbitrary';
import { HARD_PARTS, HARD_SCOPE, hardMask } from '../unit/formula/arbitrary-hard';
import { call, KERNEL_SCRIPTS } from './call';
import { openTests, type TestHost } from './open-tests';
import type { KernelTests } from './page/entry';

let page: TestHost<KernelTests>;
beforeAll(async () => {
  page = await openTests<KernelTests>(KERNEL_SCRIPTS);
});
afterAll(() => page?.close());

/** One row and four keys at a time, one row and one key, four rows and one key. */
const PREFILL = 'rows-8x4';
const DECODE = 'quad-split-4';
const FOUR_ROWS = 'quad-8x16';

const params = (variant: unknown, shape: object): AttentionParams =>
  attentionParams.parse({
    shape: { queryHeads: 4, kvHeads: 2, headSize: 16, ...shape },
    variant,
    seed: 5,
  });

describe('every preset equals the f64 reference', () => {
  test.each(FORMULA_PRESETS.map((preset) => [preset.id, preset] as const))(
    '%s',
    async (_, preset) => {
      const variant = presetVariant(preset);
      const prefill = params(variant, { queries: 130, keys: 130, batch: 2 });
      for (const plan of [PREFILL, FOUR_ROWS]) {
        const error = await call(page, 'runParams', plan, prefill);
        expect(error, plan).toMatchObject({ withinTolerance: true });
      }
      const decode = params(variant, { queries: 5, keys: 523 });
      expect(await call(page, 'runParams', DECODE, decode)).toMatchObject({
        withinTolerance: true,
      });
    },
  );
});

const parts = {
  numbers: [
    { name: 'window', value: 7, min: 0, max: 40 },
    { name: 'cap', value: 2.5, min: 0.5, max: 9, step: 0.01 },
  ],
  tables: [
    { name: 'document', source: 'segments', meanTokens: 6 },
    { name: 'bias', source: 'normal', entries: 12 },
  ],
};

/** Random formulas with the same seed in every run, so that a failure can be looked at. */
const random = fc.sample(
  fc
    .tuple(maskTree, scoreTree)
    .filter(([mask, score]) => countNodes(mask) <= 60 && countNodes(score) <= 60),
  { seed: 11, numRuns: 24 },
);

describe('random formulas agree between WGSL and TypeScript', () => {
  test.each(random.map(([mask, score], i) => [i, mask, score] as const))(
    'formula %i',
    async (i, mask, score) => {
      const variant = { type: 'formula', mask: toTokens(mask), score: toTokens(score), ...parts };
      const prefill = params(variant, { queries: 45, keys: 70 });
      const plan = i % 6 === 0 ? 'tile-32x32' : PREFILL;
      expect(await call(page, 'runParams', plan, prefill)).toMatchObject({ withinTolerance: true });
      const decode = params(variant, { queries: 3, keys: 70 });
      const decodePlan = i % 2 === 0 ? DECODE : 'tile-split';
      expect(await call(page, 'runParams', decodePlan, decode)).toMatchObject({
        withinTolerance: true,
      });
    },
  );
});

/** Whole numbers that wrap, negative divisors, NaN, tables of every source; see `arbitrary-hard`. */
const hard = fc.sample(
  hardMask.filter((mask) => countNodes(mask) <= 60 && countNodes(mask) > 6),
  { seed: 12, numRuns: 24 * Number(process.env.FORMULA_RUNS ?? 1) },
);

describe('hard formulas agree between WGSL and TypeScript', () => {
  test.each(hard.map((mask, i) => [i, mask] as const))('formula %i', async (i, mask) => {
    const variant = { type: 'formula', mask: toTokens(mask), ...HARD_PARTS };
    const shape = { batch: 2, queryHeads: 2, kvHeads: 1 };
    const prefill = params(variant, { ...shape, queries: 45, keys: 70 });
    const plan = i % 2 === 0 ? FOUR_ROWS : PREFILL;
    expect(await call(page, 'runParams', plan, prefill)).toMatchObject({ withinTolerance: true });
    const decode = params(variant, { ...shape, queries: 3, keys: 70 });
    expect(await call(page, 'runParams', DECODE, decode)).toMatchObject({ withinTolerance: true });
  });

  // Of constants WGSL takes an overflow, an infinity or NaN for an error of the shader.
  test.each([
    ['k <= q && 16777215 * 16777215 < k', true],
    ['k <= q && 1 / 0 > k', true],
    ['k <= q && k > 0 / 0', true],
    ['k <= q && k > -1 / 0', true],
    ['k <= q && log(0 - 1) < k', true],
    ['k <= q && k < sqrt(2 - 3)', true],
    ['k <= q && exp(100) > k', true],
    ['k <= q && 1e30 * 1e30 > k', true],
    ['k <= q && floor(7 / 0) <= k % 0', true],
    ['score + tanh(exp2(500)) * (3 < 2 ? 1 : 0)', false],
  ])('%s compiles', async (text, isMask) => {
    const parsed = parseFormula(text, HARD_SCOPE, isMask ? 'bool' : 'float');
    if (!parsed.ok) throw new Error(parsed.message);
    const tokens = toTokens(parsed.node);
    const variant = {
      type: 'formula',
      mask: isMask ? tokens : ['k', 'q', '<='],
      score: isMask ? [] : tokens,
      ...HARD_PARTS,
    };
    const each = params(variant, { queries: 45, keys: 70 });
    for (const plan of [PREFILL, FOUR_ROWS]) {
      expect(await call(page, 'runParams', plan, each)).toMatchObject({ withinTolerance: true });
    }
  });
});

test.each(['pattern-search', 'pbs', 'moba', 'lserve'])(
  'keys selected by %s, per head, equal the f64 reference',
  async (type) => {
    const selected = (shape: object) => ({
      ...params({ type: 'causal' }, shape),
      select: attentionSelection.parse({ type }),
    });
    const prefill = selected({ queries: 130, keys: 290, batch: 2 });
    expect(await call(page, 'runParams', PREFILL, prefill)).toMatchObject({
      withinTolerance: true,
    });
    const decode = selected({ queries: 3, keys: 523 });
    expect(await call(page, 'runParams', DECODE, decode)).toMatchObject({ withinTolerance: true });
  },
);

test('moving a slider compiles nothing', async () => {
  const windows = [5, 9, 31].map((value) =>
    params(
      {
        type: 'formula',
        mask: ['k', 'q', '<=', 'q', 'k', '-', 'reach', '<=', 'and'],
        numbers: [{ name: 'reach', value, min: 0, max: 40 }],
      },
      { queries: 40, keys: 40 },
    ),
  );
  expect(await call(page, 'countCompiles', PREFILL, windows)).toEqual([1, 0, 0]);
});
