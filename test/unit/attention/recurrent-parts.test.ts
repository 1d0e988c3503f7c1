import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { STATE_RULES } from '../../../lib/attention/recurrent/cases';
import { chunkedReference } from '../../../lib/attention/recurrent/chunked';
import { compareRecurrent } from '../../../lib/attention/recurrent/compare';
import {
  type FeatureMap,
  featureSize,
  mapFeatures,
  mapInputs,
} from '../../../lib/attention/recurrent/feature-map';
import { makeRecurrentInputs } from '../../../lib/attention/recurrent/inputs';
import { recurrentReference } from '../../../lib/attention/recurrent/reference';
import {
  convolveInputs,
  makeShortConvolution,
} from '../../../lib/attention/recurrent/short-convolution';
import { breakEvenKeys, kvBytes, stateBytes } from '../../../lib/attention/recurrent/state-bytes';
import { recurrentBytes, recurrentFlops } from '../../../lib/attention/recurrent/work';
import { defaultRecurrentPlan, supportsRule } from '../../../lib/gpu/recurrent-plans';
import { resizeRows, resizeStates } from '../../../lib/gpu/recurrent-tensors';
import { largestDifference, rules, seeds, shapes } from './recurrent-shapes';

describe('feature maps', () => {
  it('taylor is the second order of the exponential of q . k / sqrt(d)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), seeds, (size, seed) => {
        const shape = { batch: 1, heads: 1, tokens: 1, keySize: size, valueSize: 1 };
        const raw = makeRecurrentInputs(shape, { type: 'retnet' }, seed);
        const { query, key, shape: mapped } = mapInputs(raw, 'taylor');
        expect(mapped.keySize).toBe(1 + size + size * size);
        const dot = (a: Float32Array, b: Float32Array) =>
          a.reduce((sum, x, i) => sum + x * b[i]!, 0);
        const s = dot(raw.query, raw.key) / Math.sqrt(size);
        expect(dot(query, key)).toBeCloseTo(1 + s + (s * s) / 2, 5);
      }),
    );
  });

  it('follow their definitions', () => {
    const x = new Float32Array([-2, 0, 1, 3]);
    const near = (map: FeatureMap, expected: readonly number[]) =>
      expect(largestDifference(mapFeatures(x, 4, map), expected)).toBeLessThan(1e-6);
    near('identity', [-2, 0, 1, 3]);
    near('elu+1', [Math.exp(-2), 1, 2, 4]);
    near('relu', [0, 0, 1, 3]);
    const sum = Math.exp(-2) + 1 + Math.E + Math.exp(3);
    near('softmax', [Math.exp(-2) / sum, 1 / sum, Math.E / sum, Math.exp(3) / sum]);
    expect(mapFeatures(new Float32Array([1000, 1000]), 2, 'softmax')[1]).toBe(0.5);
    expect(featureSize('taylor', 16)).toBe(273);
    expect(featureSize('relu', 16)).toBe(16);
  });
});

describe('short convolution', () => {
  const shape = { batch: 2, heads: 2, tokens: 7, keySize: 3, valueSize: 2 };
  const inputs = makeRecurrentInputs(shape, { type: 'delta' }, 6);

  it('is a depthwise sum over the last tokens of the same sequence', () => {
    const convolution = makeShortConvolution(shape, 3, 'none', 1);
    const { key } = convolveInputs(inputs, convolution);
    for (let row = 0; row < 4; row++) {
      for (let t = 0; t < 7; t++) {
        for (let c = 0; c < 3; c++) {
          const at = (back: number) => (t < back ? 0 : inputs.key[(row * 7 + t - back) * 3 + c]!);
          const tap = (i: number) => convolution.key[((row % 2) * 3 + c) * 3 + i]!;
          const expected = tap(2) * at(0) + tap(1) * at(1) + tap(0) * at(2);
          expect(key[(row * 7 + t) * 3 + c]).toBeCloseTo(expected, 6);
        }
      }
    }
  });

  it('with one tap leaves the tensor alone, with silu applies it', () => {
    const plain = makeShortConvolution(shape, 4, 'none', 1);
    const isLast = (_: number, i: number) => (i % 4 === 3 ? 1 : 0);
    const identity = {
      ...plain,
      query: plain.query.map(isLast),
      key: plain.key.map(isLast),
      value: plain.value.map(isLast),
    };
    expect(convolveInputs(inputs, identity).value).toEqual(inputs.value);
    const { value } = convolveInputs(inputs, { ...identity, activation: 'silu' });
    const expected = Array.from(inputs.value, (x) => x / (1 + Math.exp(-x)));
    expect(largestDifference(value, expected)).toBeLessThan(1e-6);
  });

  it('has 2 to 4 taps', () => {
    expect(() => makeShortConvolution(shape, 5, 'none', 1)).toThrow(
      'invalid convolution width: 5 (expected 2..4)',
    );
    expect(() => makeShortConvolution(shape, 1, 'none', 1)).toThrow('invalid convolution width: 1');
  });
});

describe('bytes', () => {
  const sizes = { batch: 2, heads: 4, keySize: 64, valueSize: 32 };

  test.each(STATE_RULES)('%s: the formula counts the reference state', (_, rule) => {
    const shape = { ...sizes, tokens: 3 };
    const { state } = recurrentReference(makeRecurrentInputs(shape, rule, 1), rule);
    expect(stateBytes(rule, sizes)).toBe(4 * state.length);
  });

  it('counts a convolution, a cache, and where they meet', () => {
    const delta = { type: 'delta' } as const;
    expect(stateBytes(delta, sizes, { convolutionWidth: 4, bytesPerElement: 2 })).toBe(
      2 * (2 * 4 * 64 * 32 + 2 * 4 * 3 * (64 + 64 + 32)),
    );
    expect(kvBytes(sizes, 100)).toBe(2 * 4 * 100 * 96 * 4);
    const keys = breakEvenKeys(delta, sizes);
    expect(kvBytes(sizes, keys)).toBeCloseTo(stateBytes(delta, sizes), 6);
    expect(keys).toBeCloseTo((64 * 32) / 96, 12);
  });
});

describe('inputs', () => {
  it('are seeded, sized and gated as the rule says', () => {
    fc.assert(
      fc.property(rules, shapes, seeds, (rule, shape, seed) => {
        const inputs = makeRecurrentInputs(shape, rule, seed);
        expect(makeRecurrentInputs(shape, rule, seed)).toEqual(inputs);
        for (const a of inputs.decay ?? []) expect(a > 0 && a < 1).toBe(true);
        for (const b of inputs.writeStrength ?? []) expect(b >= 0 && b < 1).toBe(true);
        if (rule.type === 'delta') {
          const norm = Math.hypot(...inputs.key.subarray(0, shape.keySize));
          expect(norm).toBeCloseTo(1, 5);
        }
      }),
    );
    const shape = { batch: 1, heads: 1, tokens: 4, keySize: 4, valueSize: 4 };
    expect(makeRecurrentInputs(shape, { type: 'ssd' }, 1).key).not.toEqual(
      makeRecurrentInputs(shape, { type: 'ssd' }, 2).key,
    );
  });

  it('are refused with the name, the value and what was expected', () => {
    const shape = { batch: 1, heads: 1, tokens: 4, keySize: 4, valueSize: 4 };
    const inputs = makeRecurrentInputs(shape, { type: 'ssd' }, 1);
    expect(() => recurrentReference(inputs, { type: 'delta' })).toThrow(
      'invalid writeStrength: 0 elements (expected 4 for rule delta)',
    );
    expect(() => recurrentReference(inputs, { type: 'gated', normalise: false })).toThrow(
      'invalid decay: 4 elements (expected 16 for rule gated)',
    );
    expect(() =>
      recurrentReference({ ...inputs, shape: { ...shape, tokens: 0 } }, { type: 'ssd' }),
    ).toThrow('invalid tokens: 0 (expected a positive integer)');
    expect(() => recurrentReference(inputs, { type: 'ssd' }, [1])).toThrow(
      'invalid initialState: 1 elements (expected 16)',
    );
    expect(() => chunkedReference(inputs, { type: 'ssd' }, 0)).toThrow('invalid chunkTokens: 0');
  });

  it('compareRecurrent names the place of a wrong element and refuses NaN', () => {
    const shape = { batch: 2, heads: 3, tokens: 5, keySize: 4, valueSize: 2 };
    const rule = { type: 'retnet' } as const;
    const inputs = makeRecurrentInputs(shape, rule, 1);
    const right = recurrentReference(inputs, rule);
    expect(compareRecurrent(inputs, rule, right)).toMatchObject({
      maxAbs: 0,
      withinTolerance: true,
    });
    const at = { batch: 1, head: 2, token: 3, dim: 1 };
    const index = ((at.batch * 3 + at.head) * 5 + at.token) * 2 + at.dim;
    for (const wrong of [right.output[index]! + 0.01, Number.NaN]) {
      const output = right.output.map((x, i) => (i === index ? wrong : x));
      const error = compareRecurrent(inputs, rule, { ...right, output });
      expect(error).toMatchObject({ at, withinTolerance: false });
    }
  });
});

describe('device form', () => {
  test.each(STATE_RULES)('%s: padded states come back as they went', (_, rule) => {
    fc.assert(
      fc.property(shapes, seeds, (shape, seed) => {
        const { state } = recurrentReference(makeRecurrentInputs(shape, rule, seed), rule);
        const states = Float32Array.from(state);
        const padded = resizeStates(states, rule, shape, 'pad');
        expect(padded.length % 4).toBe(0);
        expect(resizeStates(padded, rule, shape, 'unpad')).toEqual(states);
        const sum = (x: Float32Array) => x.reduce((total, each) => total + Math.abs(each), 0);
        expect(sum(padded)).toBeCloseTo(sum(states), 2);
      }),
      { numRuns: 20 },
    );
  });

  it('pads and cuts rows', () => {
    const rows = new Float32Array([1, 2, 3, 4, 5, 6]);
    expect([...resizeRows(rows, 3, 4)]).toEqual([1, 2, 3, 0, 4, 5, 6, 0]);
    expect([...resizeRows(rows, 3, 2)]).toEqual([1, 2, 4, 5]);
  });

  it('default plans compute their rule and suit the adapter', () => {
    const shape = { batch: 1, heads: 4, tokens: 2048, keySize: 128, valueSize: 64 };
    for (const [, rule] of STATE_RULES) {
      for (const isFallback of [true, false]) {
        for (const hasSubgroups of [true, false]) {
          const plan = defaultRecurrentPlan({ isFallback, hasSubgroups }, rule, shape);
          expect(supportsRule(plan, rule)).toBe(true);
          expect(plan.needsSubgroups && !hasSubgroups).toBe(false);
          if (isFallback) expect(plan.chunkTokens).toBeUndefined();
        }
      }
    }
  });

  it('counts work and bytes', () => {
    const shape = { batch: 1, heads: 2, tokens: 10, keySize: 4, valueSize: 8 };
    expect(recurrentFlops({ type: 'gated-delta' }, shape)).toBe(10 * 2 * 32 * 7);
    const prefix = { type: 'prefix-linear', normalise: false, prefixTokens: 5 } as const;
    expect(recurrentFlops(prefix, shape)).toBe(10 * 2 * 32 * 4 + 5 * 2 * 32 * 2);
    expect(recurrentBytes({ type: 'gated-delta' }, shape)).toBe(4 * 20 * (4 + 4 + 8 + 8 + 1 + 1));
    expect(recurrentBytes(prefix, shape)).toBe(4 * (20 * (4 + 4 + 8 + 8) + 10 * (4 + 8)));
  });
});
