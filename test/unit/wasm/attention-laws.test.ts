import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePartials } from '../../../lib/attention/compose/merge-partials';
import { attentionReference } from '../../../lib/attention/reference';
import type { AttentionInputs, AttentionOutput } from '../../../lib/attention/types';
import { createRandom } from '../../../lib/random/random';
import { attend, inputsOf } from './attention-run';

const PATHS: readonly (readonly [string, (inputs: AttentionInputs) => AttentionOutput, number])[] =
  [
    ['the reference', (inputs) => attentionReference(inputs), 1e-9],
    ['WebAssembly', (inputs) => attend(inputs), 2e-5],
  ];

const sizes = fc.record({
  queries: fc.integer({ min: 1, max: 40 }),
  keys: fc.integer({ min: 1, max: 75 }),
  headSize: fc.constantFrom(4, 20, 64, 132, 256),
  group: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 0, max: 999 }),
});

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, each, i) => Math.max(most, Math.abs(each - b[i]!)), 0);

/** Keys and values [rows of heads, keys, headSize] in another order, or some of them. */
function takeKeys(inputs: AttentionInputs, order: readonly number[]): AttentionInputs {
  const { shape } = inputs;
  const { batch, kvHeads, keys, headSize } = shape;
  const take = (tensor: Float32Array) => {
    const taken = new Float32Array(batch * kvHeads * order.length * headSize);
    for (let row = 0; row < batch * kvHeads; row++) {
      order.forEach((from, to) => {
        const at = (row * keys + from) * headSize;
        taken.set(tensor.subarray(at, at + headSize), (row * order.length + to) * headSize);
      });
    }
    return taken;
  };
  return {
    ...inputs,
    shape: { ...shape, keys: order.length },
    key: take(inputs.key),
    value: take(inputs.value),
  };
}

describe.each(PATHS)('%s', (_, run, tolerance) => {
  it('does not mind the order of the keys where all are seen', () => {
    fc.assert(
      fc.property(sizes, ({ queries, keys, headSize, group, seed }) => {
        const shape = { queries, keys, headSize, kvHeads: 2, queryHeads: 2 * group };
        const inputs = inputsOf(shape, { type: 'dense' });
        const random = createRandom(seed);
        const order = Array.from({ length: keys }, (_, i) => [random.uniform(), i] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, i]) => i);
        const [plain, permuted] = [run(inputs), run(takeKeys(inputs, order))];
        expect(largest(permuted.output, plain.output)).toBeLessThan(tolerance);
        expect(largest(permuted.lse, plain.lse)).toBeLessThan(tolerance);
      }),
      { numRuns: 25 },
    );
  });

  it('merges to the same attention over any partition of the keys', () => {
    fc.assert(
      fc.property(sizes, ({ queries, keys, headSize, group, seed }) => {
        const shape = { queries, keys, headSize, kvHeads: 2, queryHeads: 2 * group };
        const inputs = inputsOf(shape, { type: 'dense' });
        const random = createRandom(seed);
        const parts: number[][] = [[], [], []];
        for (let k = 0; k < keys; k++) parts[random.integer(0, 2)]!.push(k);
        const rows = 2 * group * queries;
        const partials = parts
          .filter(({ length }) => length > 0)
          .map((part) => ({ rows, valueSize: headSize, ...run(takeKeys(inputs, part)) }));
        const whole = run(inputs);
        const merged = mergePartials(partials);
        expect(largest(merged.output, whole.output)).toBeLessThan(tolerance);
        expect(largest(merged.lse, whole.lse)).toBeLessThan(tolerance);
      }),
      { numRuns: 25 },
    );
  });

  it('gives the value of the one key that takes all, however large the logits', () => {
    for (const scale of [1e2, 1e4, 1e15]) {
      const inputs = inputsOf({ queries: 1, keys: 9, headSize: 4 }, { type: 'dense' });
      inputs.query.fill(scale);
      inputs.key.fill(-1);
      inputs.key.fill(1, 5 * 4, 6 * 4);
      const { output, lse } = run(inputs);
      for (let d = 0; d < 4; d++) expect(output[d]).toBeCloseTo(inputs.value[5 * 4 + d]!, 6);
      expect(lse[0]! / (2 * scale)).toBeCloseTo(1, 6);
    }
  });
});
