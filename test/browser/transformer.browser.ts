import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TRANSFORMER_CASES } from '../transformer/cases';
import { HELD_CASES } from '../transformer/held-cases';
import { openTests, type TestHost } from './open-tests';
import type { TransformerTests } from './page/transformer';

let page: TestHost<TransformerTests>;
beforeAll(async () => {
  page = await openTests<TransformerTests>({
    '/transformer.js': 'test/browser/page/transformer.ts',
  });
});
afterAll(() => page?.close());

const call: TestHost<TransformerTests>['call'] = (...args) => page.call(...args);

describe('the decoder on the device computes what the reference does', () => {
  test.each(TRANSFORMER_CASES)('$name', async ({ name }) => {
    const difference = await call('compareCase', name);
    expect(difference.logits).toBeLessThan(1e-3);
    expect(difference.hidden).toBeLessThan(1e-3);
    expect(difference.weights).toBeLessThan(1e-4);
    expect(difference.queries).toBeLessThan(1e-3);
  });
});

describe('slots that the device holds give what the reference does over the cache', () => {
  test.each(HELD_CASES)('$name', async ({ name, storage, script, rule, observes }) => {
    const { tally, ...difference } = await call('compareHeld', name);
    // Halves: sums in another order now and then round a number to its neighbour.
    const most = storage === 'f32' ? 1e-3 : 1e-2;
    expect(difference.logits).toBeLessThan(most);
    expect(difference.hidden).toBeLessThan(most);
    expect(difference.weights).toBeLessThan(observes ? most : 1e-6);
    expect(difference.queries).toBeLessThan(most);
    expect(difference.keys).toBeLessThan(most);
    const steps = script.filter((act) => typeof act === 'number').length;
    const isAsked = rule?.type === 'clamped-far';
    expect(tally.held).toBe(isAsked ? 0 : steps);
  });
});

const golden: Readonly<Record<string, readonly number[]>> = JSON.parse(
  readFileSync(new URL('../fixtures/golden-logits.json', import.meta.url), 'utf8'),
);

test.each(Object.entries(golden))('%s: logits are those of PyTorch', async (name, wanted) => {
  const logits = await call('goldenLogits', name);
  expect(logits).toHaveLength(wanted.length);
  expect(Math.max(...wanted.map((value, i) => Math.abs(value - logits[i]!)))).toBeLessThan(1e-3);
});

test('calls that overlap run one after another', async () => {
  for (const difference of await call('overlap')) expect(difference).toBeLessThan(1e-3);
});

test('prefill in chunks ends in the logits of the CPU, and stops when aborted', async () => {
  const { difference, stopped } = await call('prefillBoth');
  expect(difference).toBeLessThan(1e-3);
  expect(stopped).toBe('AbortError');
});

test('a wrong step is refused, and the next one computed', async () => {
  expect(await call('refuse')).toEqual({
    message: 'invalid positions: 1 for 20 tokens',
    logits: 242,
  });
});
