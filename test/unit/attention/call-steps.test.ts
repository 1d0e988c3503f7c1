import { expect, test } from 'vitest';
import { decodeCallSteps } from '../../../lib/attention/decode/call';
import { dequantiseSteps, quantiseSteps } from '../../../lib/attention/quantise/quantise';
import {
  callReference,
  callReferenceSteps,
  makeCall,
  makeCallSteps,
} from '../../../lib/attention/recurrent/call';
import { STEP_PRODUCTS } from '../../../lib/attention/steps';
import { decodeParams } from '../../../lib/spec/kinds/decode';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

/** Shares that a generator yields, and what it makes. */
function driven<T>(steps: Generator<number, T>): { readonly shares: number[]; readonly made: T } {
  const shares: number[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done) return { shares, made: step.value };
    shares.push(step.value);
  }
}

/** Element by element; an assertion of whole tensors takes seconds. */
const isSame = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  a.length === b.length && Array.prototype.every.call(a, (value, i) => value === b[i]);

/** A step holds a few milliseconds of work: a cancel waits for one. */
const VALUES_PER_STEP = 2 ** 16;

test.each([{ type: 'token' }, { type: 'channel', groupTokens: 5000 }] as const)(
  'storing a long head per %o stops to let messages in, and goes forwards',
  (granularity) => {
    const shape = { heads: 1, rows: 9000, columns: 64 };
    const tensor = Float32Array.from({ length: 9000 * 64 }, (_, i) => Math.sin(i));
    const scheme = { bits: 4, mode: 'asymmetric', granularity, scaleType: 'f32' } as const;
    const stored = driven(quantiseSteps(tensor, shape, scheme));
    const read = driven(dequantiseSteps(stored.made));
    expect(stored.shares.length).toBeGreaterThanOrEqual(
      2 * Math.floor(tensor.length / VALUES_PER_STEP),
    );
    expect(read.shares.length).toBeGreaterThanOrEqual(Math.floor(tensor.length / VALUES_PER_STEP));
    for (const { shares } of [stored, read]) {
      expect(shares).toEqual(shares.toSorted((a, b) => a - b));
      for (const share of shares) expect(share).toBeLessThanOrEqual(1);
    }
  },
);

test('the inputs of a long decode step are made in slices', () => {
  const params = decodeParams.parse({ shape: { keys: 20_000, headSize: 64 } });
  const { shares, made } = driven(decodeCallSteps(params));
  const values = made.inputs.key.length + made.inputs.value.length;
  expect(shares.length).toBeGreaterThanOrEqual(Math.floor(values / VALUES_PER_STEP));
});

test('so are those of a recurrent call, the same as at once', () => {
  const params = recurrentParams.parse({ shape: { tokens: 3000, heads: 1, keySize: 64 } });
  const { shares, made } = driven(makeCallSteps(params));
  if (made.type !== 'state') throw new Error(`unexpected call: ${made.type}`);
  const { query, key, value } = made.inputs;
  const values = query.length + key.length + value.length;
  expect(shares.length).toBeGreaterThanOrEqual(Math.floor(values / VALUES_PER_STEP));
  const whole = makeCall(params);
  if (whole.type !== 'state') throw new Error(`unexpected call: ${whole.type}`);
  for (const name of ['query', 'key', 'value', 'decay', 'writeStrength'] as const) {
    expect(isSame(whole.inputs[name]!, made.inputs[name]!), name).toBe(true);
  }
});

test('and so is its reference', () => {
  const shape = { tokens: 2000, heads: 2, keySize: 32, valueSize: 32 };
  const call = makeCall(recurrentParams.parse({ shape }));
  const { shares, made } = driven(callReferenceSteps(call));
  const products = 4 * 2 * 2000 * 32 * 32;
  expect(shares.length).toBeGreaterThanOrEqual(Math.floor(products / STEP_PRODUCTS) - 1);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(isSame(made.output, callReference(call).output)).toBe(true);
});
