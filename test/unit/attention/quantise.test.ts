import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tensorError } from '../../../lib/attention/quantise/error';
import { scaleIndex, scaleLayout } from '../../../lib/attention/quantise/layout';
import { unpackCodes } from '../../../lib/attention/quantise/pack';
import { codeRange, dequantise, quantise } from '../../../lib/attention/quantise/quantise';
import type { Granularity, QuantisationScheme } from '../../../lib/attention/quantise/types';
import { createRandom } from '../../../lib/random/random';
import { elements, normals, schemes, seeds, shapes } from './quantise-schemes';

/** Calls `visit` with the flat index and the scale's index of every element. */
function forEachElement(
  shape: { heads: number; rows: number; columns: number },
  scheme: QuantisationScheme,
  visit: (i: number, scale: number) => void,
) {
  const layout = scaleLayout(shape, scheme);
  for (let h = 0, i = 0; h < shape.heads; h++) {
    for (let r = 0; r < shape.rows; r++) {
      for (let c = 0; c < shape.columns; c++, i++) visit(i, scaleIndex(layout, h, r, c));
    }
  }
}

const SHAPE_1X4 = { rows: 1, columns: 4 };

/** Rotates channels i and i + columns / 2 of every row by an angle of its own. */
function rotate(tensor: ArrayLike<number>, columns: number): Float64Array {
  const out = new Float64Array(tensor.length);
  const half = columns / 2;
  for (let row = 0; row * columns < tensor.length; row++) {
    for (let i = 0; i < half; i++) {
      const angle = row / 100 ** (i / half);
      const x = tensor[row * columns + i]!;
      const y = tensor[row * columns + i + half]!;
      out[row * columns + i] = x * Math.cos(angle) - y * Math.sin(angle);
      out[row * columns + i + half] = x * Math.sin(angle) + y * Math.cos(angle);
    }
  }
  return out;
}

describe('quantise', () => {
  test('the error of a value is at most half its scale', () => {
    fc.assert(
      fc.property(shapes, schemes, seeds, (shape, scheme, seed) => {
        const tensor = normals(elements(shape), seed);
        const quantised = quantise(tensor, shape, scheme);
        const values = dequantise(quantised);
        forEachElement(shape, scheme, (i, scale) => {
          const half = quantised.scales[scale]! / 2;
          expect(Math.abs(values[i]! - tensor[i]!)).toBeLessThanOrEqual(half + 2e-6);
        });
      }),
    );
  });

  test('a group spans its range in 2^bits - 1 steps', () => {
    for (const bits of [2, 4, 8] as const) {
      const scheme = {
        bits,
        mode: 'asymmetric',
        granularity: { type: 'token' },
        scaleType: 'f32',
      } as const;
      const { scales, zeros } = quantise(Float32Array.of(-3, 0, 1, 7), SHAPE_1X4, scheme);
      expect(scales[0]).toBe(Math.fround(10 / (2 ** bits - 1)));
      expect(zeros![0]).toBe(-3);
      expect(codeRange(scheme)).toEqual([0, 2 ** bits - 1]);
      const symmetric = { ...scheme, mode: 'symmetric' } as const;
      const [low, high] = codeRange(symmetric);
      expect(high - low).toBe(2 ** bits - 1);
      // Either end may decide.
      const positive = quantise(Float32Array.of(-3, 0, 1, 7), SHAPE_1X4, symmetric);
      expect(positive.scales[0]).toBe(Math.fround(7 / high));
      const negative = quantise(Float32Array.of(-8, 0, 1, 7), SHAPE_1X4, symmetric);
      expect(negative.scales[0]).toBe(Math.fround(Math.max(7 / high, -8 / low)));
    }
  });

  test('16 levels that are representable come back as they are, in any scheme of 4 bits', () => {
    fc.assert(
      fc.property(
        schemes.map((scheme) => ({ ...scheme, bits: 4 }) as const),
        fc.integer({ min: -8, max: 8 }),
        seeds,
        (scheme, exponent, seed) => {
          const [low] = codeRange(scheme);
          const step = 2 ** exponent;
          const random = createRandom(seed);
          const shape = { heads: 2, rows: 40, columns: 16 };
          const tensor = Float32Array.from({ length: elements(shape) }, () =>
            scheme.mode === 'symmetric'
              ? step * random.integer(-8, 7)
              : step * (random.integer(0, 15) - 3),
          );
          // Every group holds both ends of the range, so that its scale is the step.
          const ends = new Map<number, number>();
          forEachElement(shape, scheme, (i, scale) => {
            const seen = ends.get(scale) ?? 0;
            const shift = scheme.mode === 'symmetric' ? 0 : -3;
            if (seen < 2) tensor[i] = step * (low + shift + (seen === 0 ? 0 : 15));
            ends.set(scale, seen + 1);
          });
          // A group of one value has no second end; its scale is another.
          fc.pre([...ends.values()].every((count) => count >= 2));
          expect(dequantise(quantise(tensor, shape, scheme))).toEqual(tensor);
        },
      ),
    );
  });

  test('gives its own values back, where f16 does not widen their range again', () => {
    fc.assert(
      fc.property(shapes, schemes, seeds, (shape, each, seed) => {
        const scheme = { ...each, scaleType: 'f32' } as const;
        const once = dequantise(quantise(normals(elements(shape), seed), shape, scheme));
        const twice = dequantise(quantise(once, shape, scheme));
        expect(tensorError(twice, once).maxAbs).toBeLessThanOrEqual(1e-5);
      }),
    );
  });

  test('constant groups and zeros are exact', () => {
    for (const mode of ['symmetric', 'asymmetric'] as const) {
      const scheme = { bits: 4, mode, granularity: { type: 'token' }, scaleType: 'f16' } as const;
      const zeros = new Float32Array(8);
      expect(dequantise(quantise(zeros, { rows: 2, columns: 4 }, scheme))).toEqual(zeros);
    }
    const constant = new Float32Array(8).fill(-1.5);
    const scheme = {
      bits: 2,
      mode: 'asymmetric',
      granularity: { type: 'channel', groupTokens: 2 },
      scaleType: 'f32',
    } as const;
    expect(dequantise(quantise(constant, { rows: 2, columns: 4 }, scheme))).toEqual(constant);
  });

  test('groups end with their head', () => {
    const scheme = {
      bits: 8,
      mode: 'symmetric',
      granularity: { type: 'channel', groupTokens: 2 },
      scaleType: 'f32',
    } as const;
    const shape = { heads: 2, rows: 3, columns: 8 };
    const tensor = normals(elements(shape), 5);
    const whole = quantise(tensor, shape, scheme);
    const parts = [0, 1].map((h) =>
      quantise(tensor.subarray(h * 24, (h + 1) * 24), { rows: 3, columns: 8 }, scheme),
    );
    expect([...whole.packed]).toEqual(parts.flatMap(({ packed }) => [...packed]));
    expect([...whole.scales]).toEqual(parts.flatMap(({ scales }) => [...scales]));
  });

  test('outlier channels cost less with a scale per channel than per token', () => {
    const shape = { rows: 64, columns: 32 };
    const tensor = normals(64 * 32, 3).map((x, i) => (i % 32 === 5 ? 30 * x : x));
    const error = (granularity: Granularity) => {
      const scheme = { bits: 4, mode: 'asymmetric', granularity, scaleType: 'f32' } as const;
      const values = dequantise(quantise(tensor, shape, scheme));
      return tensorError(
        values.filter((_, i) => i % 32 !== 5),
        tensor.filter((_, i) => i % 32 !== 5),
      ).relativeL2;
    };
    const perToken = error({ type: 'token' });
    expect(error({ type: 'channel', groupTokens: 32 })).toBeLessThan(perToken / 3);
    // The outlier's partner shares its scale; the other 30 channels do not.
    expect(error({ type: 'rope-pair', groupTokens: 32 })).toBeLessThan(perToken);
    expect(error({ type: 'grouped', groupChannels: 8 })).toBeLessThan(perToken);
  });
});

describe('scales tied over RoPE pairs', () => {
  const shape = { heads: 1, rows: 24, columns: 16 };
  /** Difference of rotating values and of scaling rotated codes. */
  const difference = (granularity: Granularity) => {
    const scheme = { bits: 8, mode: 'symmetric', granularity, scaleType: 'f32' } as const;
    const quantised = quantise(
      normals(elements(shape), 9).map((x, i) => x * (1 + (i % 16))),
      shape,
      scheme,
    );
    const rotatedValues = rotate(dequantise(quantised), 16);
    const rotatedCodes = rotate(unpackCodes(quantised.packed, 16, 8, true), 16);
    const scaled = new Float64Array(rotatedCodes.length);
    forEachElement(shape, scheme, (i, scale) => {
      scaled[i] = rotatedCodes[i]! * quantised.scales[scale]!;
    });
    return tensorError(scaled, rotatedValues).relativeL2;
  };

  test('commute with the rotation, untied ones do not', () => {
    expect(difference({ type: 'rope-pair', groupTokens: 24 })).toBeLessThan(1e-6);
    expect(difference({ type: 'channel', groupTokens: 24 })).toBeGreaterThan(0.05);
  });
});

test('an outlier channel costs less quantised before it turns than after', () => {
  const shape = { heads: 1, rows: 64, columns: 16 };
  const keys = normals(elements(shape), 4).map((x, i) => (i % 16 === 3 ? 12 + x : x));
  const scheme = {
    bits: 4,
    mode: 'asymmetric',
    granularity: { type: 'channel', groupTokens: 64 },
    scaleType: 'f32',
  } as const;
  const turned = rotate(keys, 16);
  const before = rotate(dequantise(quantise(keys, shape, scheme)), 16);
  const after = dequantise(quantise(Float32Array.from(turned), shape, scheme));
  // Turning spreads the channel's constant over both channels of its pair, whose ranges it widens.
  const error = (values: ArrayLike<number>) => tensorError(Float64Array.from(values), turned);
  expect(error(before).relativeL2).toBeLessThan(error(after).relativeL2 / 2);
});

test('refuses what it cannot hold', () => {
  const scheme: QuantisationScheme = {
    bits: 4,
    mode: 'symmetric',
    granularity: { type: 'token' },
    scaleType: 'f32',
  };
  const run =
    (tensor: number[], changes: Partial<QuantisationScheme> = {}, columns = tensor.length) =>
    () =>
      quantise(Float32Array.from(tensor), { rows: 1, columns }, { ...scheme, ...changes });
  expect(run([1, Number.NaN])).toThrow('invalid value: NaN at head 0, row 0, column 1');
  expect(run([1, 2], {}, 3)).toThrow('invalid tensor length: 2 (expected 3)');
  expect(run([1, 2], { bits: 3 as 4 })).toThrow('invalid bits: 3 (expected 2, 4 or 8)');
  expect(run([1, 2, 3, 4], { granularity: { type: 'grouped', groupChannels: 3 } })).toThrow(
    'invalid groupChannels: 3 (expected a divisor of columns 4)',
  );
  expect(run([1, 2], { granularity: { type: 'channel', groupTokens: 0 } })).toThrow(
    'invalid groupTokens: 0 (expected an integer from 1)',
  );
  expect(run([1, 2, 3], { granularity: { type: 'rope-pair', groupTokens: 1 } })).toThrow(
    'invalid columns: 3 (expected an even number for rope-pair)',
  );
  expect(run([1e6], { scaleType: 'f16' })).toThrow('invalid f16: 142857');
  expect(() => tensorError([1], [])).toThrow('invalid lengths: 1 and 0');
});

test('error statistics', () => {
  const error = tensorError([3, 4.5], [3, 4]);
  expect(error.maxAbs).toBe(0.5);
  expect(error.rootMeanSquare).toBeCloseTo(0.5 / Math.SQRT2, 12);
  expect(error.relativeL2).toBeCloseTo(0.1, 12);
  expect(error.signalToNoiseDecibels).toBeCloseTo(20, 10);
  expect(tensorError([Number.NaN], [1]).maxAbs).toBeNaN();
});
