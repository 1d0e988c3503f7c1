import { afterAll, describe, expect, test } from 'vitest';
import { ATTENTION_CASES } from '../../lib/attention/cases';
import { DECODE_QUERIES, PLANS } from '../../lib/gpu/plans';
import type { Storage } from '../../lib/gpu/stored';
import { openTests } from './open-tests';
import type { HalfTests } from './page/half';

// Opened before tests are collected: what the adapter lacks is one skip that says so, not many.
const page = await openTests<HalfTests>({ '/half.js': 'test/browser/page/half.ts' });
afterAll(() => page.close());
const hasHalf = (await page.call('chosenStorage')) === 'half';

/** Prefill: head sizes, GQA, ragged and masked rows, one formula with a table, large logits. */
const PREFILL =
  /^(n = 130 GQA|head size (4|80)|batch 2|more queries|documents, causal|large logits)/;

const families = PLANS.map(({ id, family }) => [id, family] as const);
const ofBuffers = PLANS.filter(({ readsTexels }) => readsTexels !== true);
const bufferFamilies = ofBuffers.map(({ id, family }) => [id, family] as const);
const casesOf = (family: 'prefill' | 'decode') =>
  ATTENTION_CASES.filter(({ name, params }) =>
    family === 'prefill' ? PREFILL.test(name) : params.shape.queries <= DECODE_QUERIES,
  );

/** Against f64 over the rounded tensors; near the unrounded ones, but not equal to them. */
async function expectHalf(plan: string, family: 'prefill' | 'decode', storage: Storage) {
  for (const { name, queryScale } of casesOf(family)) {
    const result = await page.call('runHalf', plan, name, storage);
    expect(result, name).toMatchObject({ withinTolerance: true });
    // Buffers are padded to 16 bytes.
    expect(result.cacheShare, name).toBeCloseTo(0.5, 1);
    expect(result.distance, name).toBeGreaterThan(2e-5);
    // An error of a key, 2^-12 of it, is amplified by the size of the logits.
    expect(result.distance, name).toBeLessThan(2e-3 * Math.abs(queryScale));
  }
}

describe('keys and values as words of two f16, on any adapter', () => {
  test.each(families)('plan %s (%s) equals f64 over rounded tensors', async (plan, family) => {
    await expectHalf(plan, family, 'half-words');
  });

  test('a map reads the same keys', async () => {
    const difference = await page.call('mapDifference', 'tile-32x32', 'batch 2', 'half-words');
    expect(difference).toBeLessThan(1e-5);
  });

  test('a number beyond f16 is refused', async () => {
    expect(await page.call('failure', 'half-words', 65_505)).toBe(
      'RangeError: invalid f16: 65505 at 3 (expected -65504..65504)',
    );
    expect(await page.call('failure', 'half-words', 65_504)).toBe('no error');
  });
});

describe('keys and values as words of two bf16, on any adapter', () => {
  test.each(bufferFamilies)(
    'plan %s (%s) equals f64 over rounded tensors',
    async (plan, family) => {
      const name = family === 'prefill' ? 'batch 2' : 'one query over many keys';
      const bfloat = await page.call('runHalf', plan, name, 'bfloat-words');
      expect(bfloat).toMatchObject({ withinTolerance: true });
      expect(bfloat.cacheShare).toBeCloseTo(0.5, 2);
      // Three bits of fraction less.
      const half = await page.call('runHalf', plan, name, 'half-words');
      expect(bfloat.distance / half.distance).toBeGreaterThan(4);
      expect(bfloat.distance / half.distance).toBeLessThan(16);
    },
  );

  test('no texture holds bf16', async () => {
    const texels = PLANS.find(({ readsTexels }) => readsTexels === true)!;
    await expect(
      page.call('runHalf', texels.id, 'one query over many keys', 'bfloat-words'),
    ).rejects.toThrow('invalid storage: bfloat-words (expected f32, half or half-words in texels)');
  });
});

if (hasHalf) {
  describe("keys and values in the shading language's f16", () => {
    test.each(families)('plan %s (%s) equals f64 over rounded tensors', async (plan, family) => {
      await expectHalf(plan, family, 'half');
    });

    test.each(families)('plan %s (%s) gives the bits of words', async (plan) => {
      const name = 'one query over many keys';
      expect(await page.call('areSameBits', plan, name)).toBe(true);
    });

    test('a map reads the same keys', async () => {
      const difference = await page.call('mapDifference', 'tile-32x32', 'batch 2', 'half');
      expect(difference).toBeLessThan(1e-5);
    });
  });
} else {
  test('f16 of the shading language needs shader-f16', ({ skip }) => {
    skip('this adapter has none: npm run test:adapters has one that does');
  });

  test('f16 of the shading language is refused without shader-f16', async () => {
    expect(await page.call('failure', 'half', 1)).toBe(
      'RangeError: invalid storage: half (expected f32 or half-words, the adapter has no shader-f16)',
    );
  });
}
