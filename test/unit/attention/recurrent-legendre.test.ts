import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeCall } from '../../../lib/attention/recurrent/call';
import { describeCall } from '../../../lib/attention/recurrent/describe';
import {
  type LegendreInputs,
  legendrePowers,
  legendreStep,
  legendreSystem,
  shiftedLegendre,
} from '../../../lib/attention/recurrent/legendre';
import {
  legendreChunked,
  legendreReference,
} from '../../../lib/attention/recurrent/legendre-reference';
import { reconstructWindow } from '../../../lib/attention/recurrent/legendre-window';
import { exponential } from '../../../lib/attention/recurrent/matrix';
import { createRandom } from '../../../lib/random/random';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

function inputs(tokens: number, order: number, thetaTokens: number, seed = 1): LegendreInputs {
  const shape = { batch: 1, heads: 2, tokens, keySize: order, valueSize: 3 };
  const random = createRandom(seed);
  const normals = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  return {
    shape,
    thetaTokens,
    step: legendreStep(order, thetaTokens),
    query: normals(2 * tokens * order),
    value: normals(2 * tokens * 3),
  };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const each = Math.abs(a[i]! - b[i]!);
    if (!(each <= most)) most = Number.isNaN(each) ? Number.POSITIVE_INFINITY : each;
  }
  return most;
}

describe('matrix exponential', () => {
  it('of a rotation is its sine and cosine, however often it turns', () => {
    for (const angle of [0.3, 3, 40]) {
      const [c, s, minus, c2] = exponential(Float64Array.of(0, angle, -angle, 0), 2);
      expect(c).toBeCloseTo(Math.cos(angle), 11);
      expect(s).toBeCloseTo(Math.sin(angle), 11);
      expect(minus).toBeCloseTo(-Math.sin(angle), 11);
      expect(c2).toBeCloseTo(c!, 12);
    }
  });

  it('of zeros is the identity', () => {
    expect([...exponential(new Float64Array(4), 2)]).toEqual([1, 0, 0, 1]);
  });
});

describe('step', () => {
  it('has the published system', () => {
    const { a, b } = legendreSystem(3, 2);
    expect([...a]).toEqual([-0.5, -0.5, -0.5, 1.5, -1.5, -1.5, -2.5, 2.5, -2.5]);
    expect([...b]).toEqual([0.5, -1.5, 2.5]);
  });

  it('of order 1 is a leaky sum: exp(-1 / theta), and its rest for the input', () => {
    const { a, b } = legendreStep(1, 10);
    expect(a[0]).toBeCloseTo(Math.exp(-0.1), 14);
    expect(b[0]).toBeCloseTo(1 - Math.exp(-0.1), 14);
  });

  it('agrees with many small Euler steps of the same held input', () => {
    const [order, theta, small] = [4, 12, 20_000];
    const { a, b } = legendreSystem(order, theta);
    let memory = Float64Array.of(0.3, -0.2, 0.5, 0.1);
    const step = legendreStep(order, theta);
    const expected = memory.map((_, i) =>
      memory.reduce((sum, m, j) => sum + step.a[i * order + j]! * m, step.b[i]! * 0.7),
    );
    for (let n = 0; n < small; n++) {
      memory = memory.map((m, i) => {
        const slope = memory.reduce((sum, each, j) => sum + a[i * order + j]! * each, b[i]! * 0.7);
        return m + slope / small;
      });
    }
    expect(largestDifference(memory, expected)).toBeLessThan(1e-4);
  });

  it('keeps a constant input as the first coefficient alone', () => {
    const call = inputs(400, 6, 40);
    const { state } = legendreReference({ ...call, value: call.value.map(() => 2) });
    expect(largestDifference(state.subarray(0, 6), [2, 0, 0, 0, 0, 0])).toBeLessThan(1e-6);
  });

  it('stays finite where the order exceeds the window, and refuses what is no size', () => {
    expect(legendreStep(128, 1).a.every((each) => Math.abs(each) < 10)).toBe(true);
    expect(() => legendreStep(4, 0)).toThrow(
      'invalid thetaTokens: 0 (expected a positive integer)',
    );
  });

  it('has powers that are repeated steps', () => {
    const step = legendreStep(3, 9);
    const { powers, response } = legendrePowers(step, 3);
    expect([...powers.subarray(0, 9)]).toEqual([...step.a]);
    const twice = Array.from({ length: 3 }, (_, i) =>
      step.b.reduce((sum, each, j) => sum + powers[9 + i * 3 + j]! * each, 0),
    );
    expect(largestDifference(response.subarray(6, 9), twice)).toBeLessThan(1e-14);
  });
});

describe('chunk form', () => {
  it('equals the recurrence for every chunk size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 45 }),
        fc.nat({ max: 99 }),
        (tokens, order, theta, chunkTokens, seed) => {
          const call = inputs(tokens, order, theta, seed);
          const chunked = legendreChunked(call, chunkTokens);
          const plain = legendreReference(call);
          expect(largestDifference(chunked.output, plain.output)).toBeLessThan(1e-10);
          expect(largestDifference(chunked.state, plain.state)).toBeLessThan(1e-10);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses tensors that do not fit', () => {
    const call = inputs(5, 4, 8);
    expect(() => legendreReference({ ...call, query: new Float32Array(3) })).toThrow(
      'invalid query: 3 elements (expected 40)',
    );
  });
});

describe('reconstruction', () => {
  it('uses the shifted polynomials', () => {
    expect([...shiftedLegendre(4, 0)]).toEqual([1, -1, 1, -1]);
    expect([...shiftedLegendre(4, 1)]).toEqual([1, 1, 1, 1]);
    expect(shiftedLegendre(3, 0.5)[2]).toBeCloseTo(-0.5, 14);
  });

  it('of a smooth window gets better with the order, and of noise cannot', () => {
    const { orders, smoothErrors, noiseErrors } = reconstructWindow(32, 128, 1);
    expect(orders).toEqual([1, 2, 4, 8, 16, 32]);
    // What 3 periods need is there from about 16 coefficients on; then the held input is the limit.
    for (let i = 1; i <= 4; i++) expect(smoothErrors[i]!).toBeLessThan(smoothErrors[i - 1]!);
    expect(smoothErrors[4]!).toBeLessThan(0.01);
    expect(smoothErrors[5]!).toBeLessThan(0.01);
    // 32 numbers cannot hold 128 independent ones: at least 3 quarters of the power are lost.
    expect(noiseErrors[5]!).toBeGreaterThan(Math.sqrt(0.7));
  });

  it('has its error over the window, whose mean power is that of the whole', () => {
    const window = reconstructWindow(8, 64, 2);
    expect(window.tokensBack).toHaveLength(32);
    const power = window.smoothErrorsBack.reduce((sum, each) => sum + each ** 2 / 32, 0);
    expect(Math.sqrt(power)).toBeCloseTo(window.smoothErrors.at(-1)!, 10);
  });

  it('is described for a cell, which has no recall', () => {
    const params = recurrentParams.parse({
      shape: { tokens: 9, keySize: 6, valueSize: 4 },
      rule: { type: 'lmu', thetaTokens: 20 },
    });
    const described = describeCall(params, makeCall(params));
    expect(described.recall).toBeUndefined();
    expect(described.memory.stateBytes).toBe(4 * 6 * 4 * 4);
    expect(described.reconstruction?.orders.at(-1)).toBe(6);
    const mapped = { ...params, featureMap: 'relu' };
    expect(recurrentParams.safeParse(mapped).error?.issues[0]?.path).toEqual(['featureMap']);
  });
});
