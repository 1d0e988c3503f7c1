import { describe, expect, test } from 'vitest';
import { POLICIES } from '../../../lib/cache/policies';
import { CACHE_CHECKS } from '../../../lib/evaluate/checks/registry';
import { CHECK_LIST, cacheCheckId, listedCheck } from '../../../lib/run/check-list';
import { CHECK_SECONDS } from '../../../lib/run/check-seconds';
import { ROW_CHECKS } from '../../../lib/serving/checks/registry';
import { checkParams } from '../../../lib/spec/kinds/check';

/** The rows of papers that the model and cache lab must have: first those that a tool is judged by. */
const TIER_1 =
  'streaming-llm duo-attention razor-attention lserve fastkv snapkv cake think kvmerger gear mikv zipcache xkv shadowkv ape cacheblend pie jrt jacobi';
const TIER_2 =
  'longgen elastic-cache look-m vidkv cachegen cskv swiftkv kv-prediction matryoshkakv lazyllm zipvl loopserve tempcache rekv v-rex kvcomm cache-craft rapid';
const BASELINES =
  'full random key-norm h2o tova keydiff pyramidkv adakv expected-attention quest oracle-top-k kivi int8 sliding-window';
const ids = (text: string) => text.split(' ').map((id) => [id] as const);
/** Ways to decode, and a placement of layers: they have no cache policy of their own. */
const WITHOUT_POLICY = new Set(['jrt', 'jacobi', 'rapid', 'longgen']);

describe('every method of the cache lab', () => {
  test.each([...ids(TIER_1), ...ids(TIER_2), ...ids(BASELINES)])('%s has a small check', (id) => {
    const listed = listedCheck(cacheCheckId(id));
    expect(listed).toMatchObject({ lab: 'cache', check: CACHE_CHECKS.get(id) });
    expect(checkParams.safeParse({ check: listed.id }).success).toBe(true);
  });

  test.each(
    [...ids(TIER_1), ...ids(TIER_2), ...ids(BASELINES)].filter(([id]) => !WITHOUT_POLICY.has(id)),
  )('%s is a policy with a source and with whose numbers its defaults are', (id) => {
    const policy = POLICIES.get(id);
    expect(policy?.source.length).toBeGreaterThan(10);
    expect(policy?.defaults).toMatch(/\.$/);
  });

  test('has a measured time in the table of estimates, and no other check has', () => {
    expect(Object.keys(CHECK_SECONDS).sort()).toEqual(CHECK_LIST.map(({ id }) => id).sort());
    for (const seconds of Object.values(CHECK_SECONDS)) expect(seconds).toBeGreaterThan(0);
  });

  test('has checks of policies that exist alone', () => {
    for (const id of CACHE_CHECKS.keys()) {
      expect(POLICIES.has(id) || WITHOUT_POLICY.has(id), id).toBe(true);
    }
  });
});

describe('the list of checks', () => {
  test('has one id for each, and serving checks keep theirs', () => {
    expect(new Set(CHECK_LIST.map(({ id }) => id)).size).toBe(
      CACHE_CHECKS.size + ROW_CHECKS.length,
    );
    for (const { id } of ROW_CHECKS) expect(listedCheck(id).lab).toBe('serving');
  });

  test('tells two checks of one name apart', () => {
    expect(listedCheck('lserve').lab).toBe('serving');
    expect(listedCheck('lserve.cache').lab).toBe('cache');
    expect(cacheCheckId('snapkv')).toBe('snapkv');
  });

  test('names what it does not know', () => {
    expect(() => listedCheck('warp-drive')).toThrow(
      /^unknown check: "warp-drive" \(expected one of /,
    );
  });
});
