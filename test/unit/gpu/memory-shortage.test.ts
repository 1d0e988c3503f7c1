import { expect, test } from 'vitest';
import { asShortage } from '../../../lib/gpu/memory-shortage';

test('an array that the engine cannot make becomes a sentence', () => {
  let error: unknown;
  try {
    new Float32Array(2 ** 53 - 1);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(RangeError);
  const said = asShortage(error, 'decode') as Error;
  expect(said.message).toMatch(
    /^out of memory: this browser could not hold .* decode cell; choose/,
  );
  expect(said.cause).toBe(error);
  const buffer = new RangeError('Array buffer allocation failed');
  expect(asShortage(buffer, 'attention')).not.toBe(buffer);
});

test('other errors stay as they are', () => {
  for (const error of [
    new RangeError('invalid queries: 9 (expected 1..8)'),
    new Error('out of GPU memory: key needs 1 GiB'),
    new DOMException('job 1 was cancelled', 'AbortError'),
    'a string',
  ]) {
    expect(asShortage(error, 'attention')).toBe(error);
  }
});
