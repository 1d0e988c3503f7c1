import { describe, expect, it, test } from 'vitest';
import { makeCall } from '../../../lib/attention/recurrent/call';
import { describeCall } from '../../../lib/attention/recurrent/describe';
import {
  applyLora,
  learnPairs,
  loraGradients,
  loraSizes,
  type TemporalLoraInputs,
  temporalLoraReference,
} from '../../../lib/attention/recurrent/temporal-lora';
import { createRandom } from '../../../lib/random/random';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

const shape = { batch: 1, heads: 2, tokens: 20, keySize: 6, valueSize: 4 };

function lora(rule: object = {}, sizes: object = shape): TemporalLoraInputs {
  const call = makeCall(
    recurrentParams.parse({ shape: sizes, rule: { type: 'temporal-lora', rank: 3, ...rule } }),
  );
  if (call.type !== 'temporal-lora') throw new Error(`not a low-rank memory: ${call.type}`);
  return call.inputs;
}

const normals = (count: number, seed: number) => {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

describe('gradients', () => {
  test.each(['a', 'b'] as const)('of %s are the slopes of the loss', (name) => {
    const { initial, rule } = lora();
    const sizes = loraSizes(rule, shape);
    const weights = { ...initial[0]!, b: Float64Array.from(normals(4 * 3, 7)) };
    const pairs = { keys: normals(5 * 6, 1), values: normals(5 * 4, 2) };
    const gradients = loraGradients(weights, sizes, pairs);
    const lossAt = (at: number, by: number) =>
      loraGradients(
        { ...weights, [name]: weights[name].map((each, i) => each + (i === at ? by : 0)) },
        sizes,
        pairs,
      ).loss;
    const small = 1e-5;
    let largest = 0;
    for (let at = 0; at < weights[name].length; at++) {
      const slope = (lossAt(at, small) - lossAt(at, -small)) / (2 * small);
      expect(Math.abs(gradients[name][at]! - slope)).toBeLessThan(1e-7);
      largest = Math.max(largest, Math.abs(slope));
    }
    expect(largest).toBeGreaterThan(0.01);
  });

  it('lower the loss at every step, whatever the sizes', () => {
    for (const keySize of [6, 32]) {
      const { initial, rule } = lora({}, { ...shape, keySize });
      const sizes = loraSizes(rule, { keySize, valueSize: 4 });
      const pairs = { keys: normals(12 * keySize, 3), values: normals(12 * 4, 4) };
      const losses = [0, 1, 2, 4, 8, 16].map((steps) => {
        const learnt = learnPairs(initial[0]!, sizes, pairs, { steps, learningRate: 0.5 });
        return loraGradients(learnt, sizes, pairs).loss;
      });
      for (let i = 1; i < losses.length; i++) expect(losses[i]!).toBeLessThan(losses[i - 1]!);
    }
  });
});

describe('chunks', () => {
  it('are read before they are learnt: the first sees the slow weights alone', () => {
    const inputs = lora({ chunkTokens: 10 });
    const { output } = temporalLoraReference(inputs);
    const sizes = loraSizes(inputs.rule, shape);
    for (let row = 0; row < 2; row++) {
      const { slow } = inputs.initial[row]!;
      const plain = { slow, a: new Float64Array(18), b: new Float64Array(12) };
      for (let t = 0; t < 20; t++) {
        const at = row * 20 + t;
        const expected = applyLora(plain, sizes, inputs.query, at * 6);
        const own = output.subarray(at * 4, at * 4 + 4);
        const far = Math.max(...expected.map((each, r) => Math.abs(each - own[r]!)));
        if (t < 10) expect(far).toBe(0);
        else expect(far).toBeGreaterThan(1e-6);
      }
    }
  });

  it('later ones do not change what was read before', () => {
    const inputs = lora({ chunkTokens: 5 });
    const changed = {
      ...inputs,
      value: inputs.value.map((each, i) => (i >= 10 * 4 ? -each : each)),
    };
    const [before, after] = [temporalLoraReference(inputs), temporalLoraReference(changed)];
    expect(after.output.subarray(0, 15 * 4)).toEqual(before.output.subarray(0, 15 * 4));
    expect(after.output.subarray(15 * 4, 20 * 4)).not.toEqual(
      before.output.subarray(15 * 4, 20 * 4),
    );
  });

  it('fit better after they are learnt, and a rest shorter than a chunk waits', () => {
    const { fits, state } = temporalLoraReference(lora({ chunkTokens: 8 }));
    expect(fits).toHaveLength(2);
    for (const { before, after } of fits) expect(after).toBeGreaterThan(before);
    expect(state).toHaveLength(2 * 3 * (6 + 4));
  });

  it('with a rate of 0 learn nothing', () => {
    const { state, fits } = temporalLoraReference(lora({ chunkTokens: 5, learningRate: 0 }));
    expect(fits.every(({ before, after }) => before === after)).toBe(true);
    // b, the second part of every head's update, is still 0.
    expect(state.subarray(18, 30).every((each) => each === 0)).toBe(true);
  });
});

test('recall falls with the pairs, and one key can be given another value', () => {
  const params = recurrentParams.parse({
    shape: { ...shape, keySize: 16 },
    rule: { type: 'temporal-lora', rank: 8, chunkTokens: 1, steps: 16 },
  });
  const { recall, memory } = describeCall(params, makeCall(params));
  expect(recall!.errors[0]).toBeLessThan(0.1);
  expect(recall!.errors.at(-1)).toBeGreaterThan(recall!.errors[0]! + 0.3);
  expect(recall!.overwriteError).toBeLessThan(0.1);
  expect(memory.stateBytes).toBe(4 * 2 * (8 * (16 + 4) + 1 * (16 + 4)));
});
