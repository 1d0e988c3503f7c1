import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ATTENTION_CASES } from '../../lib/attention/cases';
import { KERNELS, type KernelFile } from '../../lib/gpu/kernel-table';
import { DECODE_QUERIES, PLANS } from '../../lib/gpu/plans';
import { call, KERNEL_SCRIPTS } from './call';
import { openTests, type TestHost } from './open-tests';
import type { KernelTests } from './page/entry';

let page: TestHost<KernelTests>;
beforeAll(async () => {
  page = await openTests<KernelTests>(KERNEL_SCRIPTS);
});
afterAll(() => page?.close());

/** Cases that a plan takes: some stop at a head size. */
const casesOf = (plan: string, cases: typeof ATTENTION_CASES) => {
  const largest = PLANS.find(({ id }) => id === plan)?.maxHeadSize ?? Number.POSITIVE_INFINITY;
  return cases.filter(({ params }) => params.shape.headSize <= largest).map(({ name }) => name);
};
const prefillPlans = PLANS.filter(({ family }) => family === 'prefill').map(({ id }) => id);
const decodePlans = PLANS.filter(({ family }) => family === 'decode').map(({ id }) => id);
const decodeCases = ATTENTION_CASES.filter(({ params }) => params.shape.queries <= DECODE_QUERIES);

test('every kernel compiles without a message and keeps its promises', async () => {
  const compiled = await call(page, 'compileAll');
  expect(compiled.map(({ file }) => file).sort()).toEqual(Object.keys(KERNELS).sort());
  for (const { file, messages, entries, overrides, needsSubgroups, defaultLimits } of compiled) {
    const promised = KERNELS[file as KernelFile];
    expect(messages, file).toEqual([]);
    expect(entries, file).toEqual([promised.entryPoint]);
    expect(overrides, file).toEqual(promised.overrides);
    expect(needsSubgroups, file).toBe(promised.needsSubgroups);
    expect(promised.workgroupBytes, file).toBeLessThanOrEqual(16_384);
    expect(defaultLimits, file).toBeUndefined();
  }
});

describe.each(prefillPlans)('prefill plan %s equals the f64 reference', (plan) => {
  test.each(casesOf(plan, ATTENTION_CASES))('%s', async (name) => {
    const error = await call(page, 'runCase', plan, name);
    expect(error).toMatchObject({ withinTolerance: true });
  });
});

describe.each(decodePlans)('decode plan %s equals the f64 reference', (plan) => {
  test.each(casesOf(plan, decodeCases))('%s', async (name) => {
    const error = await call(page, 'runCase', plan, name);
    expect(error).toMatchObject({ withinTolerance: true });
  });

  test('any number of splits merges to the same attention', async () => {
    const splits = [1, 2, 3, 5, 8, 17];
    const worst = await call(page, 'spreadOfSplits', 'five queries over many keys', plan, splits);
    for (const difference of worst) expect(difference).toBeLessThan(2e-5);
  });
});

test.each([...prefillPlans])('plan %s gives the same bits twice', async (plan) => {
  expect(await call(page, 'isRepeatable', plan, 'n = 130 GQA 4:2')).toBe(true);
});

test.each(
  ATTENTION_CASES.filter(
    ({ name, queryScale }) =>
      queryScale === 1 && /GQA|window \+ sinks|documents, causal|fully masked|one query/.test(name),
  ).map(({ name, params }) => [name, params] as const),
)('map base equals the CPU reduction: %s', async (_, params) => {
  const head = params.shape.queryHeads - 1;
  const outcome = await call(page, 'mapBaseDifference', params, head);
  expect(outcome.maskedMismatches).toBe(0);
  expect(outcome.difference).toBeLessThan(1e-5);
  expect([outcome.rows, outcome.columns]).toEqual([outcome.expectedRows, outcome.expectedColumns]);
});

test('map base reduces more than 512 rows and columns', async () => {
  const large = ATTENTION_CASES.find(({ name }) => name === 'n = 65 causal')!.params;
  const params = {
    ...large,
    shape: { ...large.shape, queries: 700, keys: 1100, headSize: 16 },
  };
  const outcome = await call(page, 'mapBaseDifference', params, 1);
  expect([outcome.rows, outcome.columns]).toEqual([512, 512]);
  expect(outcome.maskedMismatches).toBe(0);
  expect(outcome.difference).toBeLessThan(1e-5);
});
