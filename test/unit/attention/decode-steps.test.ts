import { expect, test } from 'vitest';
import { decodeCallSteps } from '../../../lib/attention/decode/call';
import { dequantiseSteps, quantiseSteps } from '../../../lib/attention/quantise/quantise';
import { decodeParams } from '../../../lib/spec/kinds/decode';

/** Shares that a generator yields, and what it makes. */
function driven<T>(steps: Generator<number, T>): { readonly shares: number[]; readonly made: T } {
  const shares: number[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done) return { shares, made: step.value };
    shares.push(step.value);
  }
}

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
