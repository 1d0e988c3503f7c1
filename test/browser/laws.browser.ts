import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DECODE_QUERIES, PLANS } from '../../lib/gpu/plans';
import { attentionParams } from '../../lib/spec/kinds/attention';
import { openTests, type TestHost } from './open-tests';
import type { LawTests } from './page/laws';

let page: TestHost<LawTests>;
beforeAll(async () => {
  page = await openTests<LawTests>({ '/laws.js': 'test/browser/page/laws.ts' });
});
afterAll(() => page?.close());

/** Sizes that fill no vector of a lane's, a quad's or a tile's; powers of two are in the table of cases. */
const HEAD_SIZES = [4, 12, 20, 36, 60, 132, 252];

const params = (variant: object, shape: object) =>
  attentionParams.parse({
    shape: { batch: 2, queryHeads: 4, kvHeads: 2, headSize: 20, ...shape },
    variant,
    seed: 13,
  });
const prefill = { queries: 37, keys: 75 };
const decode = { queries: 3, keys: 139 };
const CAUSAL = { type: 'causal' };

describe.each(PLANS.map(({ id, family }) => [id, family] as const))(
  'plan %s (%s)',
  (plan, family) => {
    const shape = family === 'prefill' ? prefill : decode;

    test('equals the f64 reference at any head size', async () => {
      const errors = await page.call('headSizes', plan, params(CAUSAL, shape), HEAD_SIZES);
      for (const [i, error] of errors.entries()) {
        expect(error, `head size ${HEAD_SIZES[i]}`).toMatchObject({ withinTolerance: true });
      }
    });

    test('does not mind the order of the keys where all are seen', async () => {
      const outcome = await page.call('permutedKeys', plan, params({ type: 'dense' }, shape), 3);
      expect(outcome.moved).toBeGreaterThan(shape.keys / 2);
      expect(outcome.difference).toBeLessThan(2e-5);
      const masked = await page.call('permutedKeys', plan, params(CAUSAL, shape), 3);
      expect(masked.difference).toBeGreaterThan(1e-2);
    });
  },
);

test.each(['prefill', 'decode'] as const)('%s: block sizes do not matter', async (family) => {
  const plans = PLANS.filter((plan) => plan.family === family);
  expect(new Set(plans.map(({ blockKeys }) => blockKeys)).size).toBeGreaterThan(1);
  const ids = plans.map(({ id }) => id);
  const tokens = family === 'prefill' ? 2 * DECODE_QUERIES + 51 : DECODE_QUERIES;
  const windows = { type: 'window-sinks', windowTokens: 21, sinkTokens: 3 };
  for (const variant of [CAUSAL, windows]) {
    const each = params(variant, { queries: tokens, keys: 131 });
    for (const difference of await page.call('spreadOfPlans', ids, each)) {
      expect(difference).toBeLessThan(2e-5);
    }
  }
});
