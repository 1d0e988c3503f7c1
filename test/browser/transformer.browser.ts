import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TRANSFORMER_CASES } from '../transformer/cases';
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
