import { describe, expect, it, test } from 'vitest';
import { makeCall } from '../../../lib/attention/recurrent/call';
import { describeCall } from '../../../lib/attention/recurrent/describe';
import {
  type FastWeightInputs,
  fastWeightReference,
} from '../../../lib/attention/recurrent/fast-weight-reference';
import {
  addAscent,
  applyFast,
  columnsOf,
  fastElements,
  fastSizes,
  MATRICES,
  rowNorms,
  zeroWeights,
} from '../../../lib/attention/recurrent/fast-weights';
import { newtonSchulz } from '../../../lib/attention/recurrent/newton-schulz';
import { createRandom } from '../../../lib/random/random';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

const shape = { batch: 1, heads: 2, tokens: 20, keySize: 5, valueSize: 4 };

function fast(rule: object, sizes: object = shape): FastWeightInputs {
  const params = recurrentParams.parse({ shape: sizes, rule: { type: 'lact', ...rule } });
  const call = makeCall(params);
  if (call.type !== 'lact') throw new Error(`not fast weights: ${call.type}`);
  return call.inputs;
}

const normals = (count: number, seed: number) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => random.normal());
};

describe('gradient', () => {
  test.each(MATRICES)('of %s is the slope of <f(k), v>', (name) => {
    const { initial, rule } = fast({ expansion: 2 });
    const sizes = fastSizes(rule, shape);
    const weights = initial[0]!;
    const pair = { key: normals(5, 1), value: normals(4, 2) };
    const ascent = zeroWeights(sizes);
    addAscent(ascent, weights, sizes, pair, [1, 1, 1]);
    const objective = (at: number, by: number) => {
      const moved = {
        ...weights,
        [name]: weights[name].map((each, i) => each + (i === at ? by : 0)),
      };
      const answer = applyFast(moved, sizes, pair.key, 0);
      return answer.reduce((sum, each, r) => sum + each * pair.value[r]!, 0);
    };
    const small = 1e-5;
    let largest = 0;
    for (let at = 0; at < weights[name].length; at++) {
      const slope = (objective(at, small) - objective(at, -small)) / (2 * small);
      expect(Math.abs(ascent[name][at]! - slope)).toBeLessThan(1e-8);
      largest = Math.max(largest, Math.abs(slope));
    }
    expect(largest).toBeGreaterThan(0.01);
  });

  it('is weighed by a rate per matrix', () => {
    const { initial, rule } = fast({});
    const sizes = fastSizes(rule, shape);
    const ascent = zeroWeights(sizes);
    const pair = { key: normals(5, 1), value: normals(4, 2) };
    addAscent(ascent, initial[0]!, sizes, pair, [0, 2, 0]);
    expect(ascent.w0.every((each) => each === 0) && ascent.w2.every((each) => each === 0)).toBe(
      true,
    );
    expect(ascent.w1.some((each) => each !== 0)).toBe(true);
  });
});

describe('chunks', () => {
  it('are read before they are learnt: one chunk sees no update', () => {
    const whole = fast({ chunkTokens: 20 });
    const { output, fits } = fastWeightReference(whole);
    const sizes = fastSizes(whole.rule, shape);
    for (let row = 0; row < 2; row++) {
      for (let t = row * 20; t < (row + 1) * 20; t++) {
        const expected = applyFast(whole.initial[row]!, sizes, whole.query, t * 5);
        expect([...output.subarray(t * 4, (t + 1) * 4)]).toEqual([...expected]);
      }
    }
    expect(fits).toHaveLength(1);
    expect(fits[0]!.after).toBeGreaterThan(fits[0]!.before);
  });

  it('agree until the first update, and not after', () => {
    const { output: coarse } = fastWeightReference(fast({ chunkTokens: 20 }));
    const { output: fine } = fastWeightReference(fast({ chunkTokens: 8 }));
    expect([...fine.subarray(0, 8 * 4)]).toEqual([...coarse.subarray(0, 8 * 4)]);
    expect(fine.subarray(8 * 4, 9 * 4)).not.toEqual(coarse.subarray(8 * 4, 9 * 4));
  });

  it('that are not whole are read and wait', () => {
    const inputs = fast({ chunkTokens: 21 });
    const { state, fits } = fastWeightReference(inputs);
    expect(fits).toEqual([]);
    expect([...state.subarray(0, inputs.initial[0]!.w0.length)]).toEqual([
      ...inputs.initial[0]!.w0,
    ]);
  });

  it('at a rate of 0 learn nothing, whatever the momentum', () => {
    const inputs = fast({ chunkTokens: 4, learningRate: 0, hasMomentum: true });
    const { output } = fastWeightReference(inputs);
    const still = fastWeightReference(fast({ chunkTokens: 20, learningRate: 0 })).output;
    output.forEach((each, i) => {
      expect(each).toBeCloseTo(still[i]!, 12);
    });
  });

  test.each([
    ['plain steps', {}],
    ['momentum', { hasMomentum: true }],
    ['Muon', { muonSteps: 5 }],
  ])('keep the norm of every row: %s', (_, rule) => {
    const inputs = fast({ chunkTokens: 4, learningRate: 2, ...rule });
    const sizes = fastSizes(inputs.rule, shape);
    const { state } = fastWeightReference(inputs);
    let at = 0;
    for (const name of MATRICES) {
      const first = inputs.initial[0]![name];
      const last = state.subarray(at, at + first.length);
      const columns = columnsOf(name, sizes);
      const norms = rowNorms(first, columns);
      rowNorms(last, columns).forEach((each, row) => {
        expect(each).toBeCloseTo(norms[row]!, 12);
      });
      expect(last).not.toEqual(first);
      at += first.length;
    }
  });

  it('take momentum from the update before: it shows from the second one on', () => {
    const run = (rule: object) => fastWeightReference(fast({ chunkTokens: 5, ...rule })).output;
    const [without, with_] = [run({}), run({ hasMomentum: true })];
    expect([...with_.subarray(0, 10 * 4)]).toEqual([...without.subarray(0, 10 * 4)]);
    expect(with_.subarray(10 * 4, 11 * 4)).not.toEqual(without.subarray(10 * 4, 11 * 4));
  });
});

describe('Newton-Schulz', () => {
  test.each([
    [4, 7],
    [7, 4],
    [5, 5],
  ])('draws the singular values of %i x %i towards 1 and keeps the space', (rows, columns) => {
    const matrix = normals(rows * columns, 3);
    const x = newtonSchulz(matrix, rows, columns, 5);
    // The largest and smallest stretch over many directions of the smaller side.
    const short = Math.min(rows, columns);
    for (let seed = 0; seed < 20; seed++) {
      const direction = normals(short, 10 + seed);
      const length = Math.hypot(...direction);
      const image = Array.from({ length: Math.max(rows, columns) }, (_, j) => {
        let sum = 0;
        for (let i = 0; i < short; i++) {
          sum += direction[i]! * x[rows <= columns ? i * columns + j : j * columns + i]!;
        }
        return sum;
      });
      const stretch = Math.hypot(...image) / length;
      expect(stretch).toBeGreaterThan(0.5);
      expect(stretch).toBeLessThan(1.3);
    }
  });

  it('of zeros is zeros', () => {
    expect([...newtonSchulz(new Float64Array(6), 2, 3, 5)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

it('a cell keeps weights, gradient and momentum, and recalls better than chance', () => {
  const params = (rule: object) =>
    recurrentParams.parse({
      shape: { ...shape, keySize: 16, valueSize: 16 },
      rule: { type: 'lact', learningRate: 5, expansion: 2, ...rule },
    });
  const plain = params({});
  const described = describeCall(plain, makeCall(plain));
  const elements = fastElements({ keySize: 16, hiddenSize: 32, valueSize: 16 });
  const norms = 32 + 32 + 16;
  expect(described.memory.stateBytes).toBe(2 * 4 * (2 * elements + norms));
  const moved = params({ hasMomentum: true });
  expect(describeCall(moved, makeCall(moved)).memory.stateBytes).toBe(
    2 * 4 * (3 * elements + norms),
  );
  // Two random unit vectors are sqrt(2) apart.
  expect(described.recall!.errors[0]!).toBeLessThan(1);
});

it('a larger state recalls more pairs', () => {
  const of = (expansion: number) => {
    const params = recurrentParams.parse({
      shape: { tokens: 20, heads: 1, keySize: 16, valueSize: 16 },
      rule: { type: 'lact', learningRate: 5, expansion },
    });
    const { memory, recall } = describeCall(params, makeCall(params));
    const errors = recall!.errors;
    return { bytes: memory.stateBytes, mean: errors.reduce((a, b) => a + b, 0) / errors.length };
  };
  const [small, middle, large] = [of(1), of(2), of(4)];
  expect(small.bytes).toBeLessThan(middle.bytes);
  expect(middle.bytes).toBeLessThan(large.bytes);
  expect(middle.mean).toBeLessThan(0.9 * small.mean);
  expect(large.mean).toBeLessThan(0.9 * middle.mean);
});
