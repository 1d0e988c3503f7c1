import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RECURRENT_CASES, STATE_RULES } from '../../lib/attention/recurrent/cases';
import { RECURRENT_PLANS, supportsRule } from '../../lib/gpu/recurrent-plans';
import { openTests, type TestHost } from './open-tests';
import type { RecurrentTests } from './page/recurrent';

let page: TestHost<RecurrentTests>;
beforeAll(async () => {
  page = await openTests<RecurrentTests>({ '/recurrent.js': 'test/browser/page/recurrent.ts' });
});
afterAll(() => page?.close());

const call: TestHost<RecurrentTests>['call'] = (...args) => page.call(...args);

test('the test browser has subgroups, so that every plan is run', async () => {
  expect(await call('hasSubgroups')).toBe(true);
});

describe.each(RECURRENT_PLANS.map((each) => [each.id, each] as const))('plan %s', (plan, each) => {
  const rules = STATE_RULES.filter(([, rule]) => supportsRule(each, rule));
  describe.each(rules)('%s equals the f64 reference', (_, rule) => {
    test.each(RECURRENT_CASES)('$name', async ({ shape }) => {
      expect(await call('runRule', plan, rule, shape)).toMatchObject({ withinTolerance: true });
    });

    test('over many submits, twice', async () => {
      const shape = { batch: 1, heads: 2, tokens: 130, keySize: 20, valueSize: 8 };
      const result = await call('runRule', plan, rule, shape, {
        gigaflopsPerSecond: 5e-3,
        runs: 2,
      });
      expect(result).toMatchObject({ withinTolerance: true });
      expect(result.submits).toBeGreaterThan(2);
    });

    test('with gates of 0 and 1 among others', async () => {
      const shape = { batch: 1, heads: 2, tokens: 135, keySize: 20, valueSize: 12 };
      expect(await call('runRule', plan, rule, shape, { gates: 'at ends' })).toMatchObject({
        withinTolerance: true,
      });
    });

    test('after 65,536 tokens', async () => {
      const shape = { batch: 1, heads: 1, tokens: 65_536, keySize: 4, valueSize: 4 };
      expect(await call('runRule', plan, rule, shape)).toMatchObject({ withinTolerance: true });
    });

    test('from a carried state', async () => {
      const shape = { batch: 1, heads: 2, tokens: 33, keySize: 12, valueSize: 10 };
      expect(await call('runCarried', plan, rule, shape)).toMatchObject({ withinTolerance: true });
    });
  });

  test('stops between submits when aborted, and starts anew', async () => {
    const shape = { batch: 1, heads: 1, tokens: 130, keySize: 32, valueSize: 16 };
    const rule = { type: 'gated', normalise: true } as const;
    const outcome = await call('abortAndRunAgain', plan, rule, shape);
    expect(outcome).toMatchObject({ ended: 'AbortError', withinTolerance: true });
    expect(outcome.submits).toBeGreaterThan(5);
  });

  test('refuses keys that do not fit the registers', async () => {
    const shape = { batch: 1, heads: 1, tokens: 2, keySize: 129, valueSize: 4 };
    expect(await call('failure', plan, { type: 'ssd' }, shape)).toBe(
      'RangeError: invalid keySize: 129 (expected 1..128)',
    );
  });

  test('a submit is as long as its own tokens, whatever the prefix', async () => {
    const shape = { batch: 1, heads: 1, tokens: 65, keySize: 8, valueSize: 8 };
    const submits = async (prefixTokens: number) => {
      const rule = { type: 'prefix-linear', normalise: false, prefixTokens } as const;
      return (await call('runRule', plan, rule, shape, { gigaflopsPerSecond: 1 })).submits;
    };
    expect(await submits(500)).toBe((await submits(0)) + 1);
  });
});

test('chunks refuse a delta rule, whose transitions are no product of decays', async () => {
  const shape = { batch: 1, heads: 1, tokens: 2, keySize: 4, valueSize: 4 };
  for (const { id } of RECURRENT_PLANS.filter(({ chunkTokens }) => chunkTokens !== undefined)) {
    expect(await call('failure', id, { type: 'delta' }, shape)).toBe(
      `RangeError: invalid plan: ${id} (cannot compute rule delta)`,
    );
  }
});

describe('a Legendre memory', () => {
  test.each(RECURRENT_CASES)('equals the f64 reference: $name', async ({ shape }) => {
    expect(await call('runLegendre', 50, shape)).toMatchObject({ withinTolerance: true });
  });

  test('over many submits, twice: the state is carried and starts anew', async () => {
    const shape = { batch: 2, heads: 1, tokens: 200, keySize: 24, valueSize: 6 };
    const result = await call('runLegendre', 80, shape, { gigaflopsPerSecond: 1e-3, runs: 2 });
    expect(result).toMatchObject({ withinTolerance: true });
    expect(result.submits).toBeGreaterThan(3 * 3);
  });
});
