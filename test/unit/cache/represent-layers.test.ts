import { describe, expect, test } from 'vitest';
import { makeRope } from '../../../lib/attention/position/rope-frequencies';
import {
  channelScores,
  keptChannels,
  pairScores,
  prunedChannels,
  widestChannels,
} from '../../../lib/cache/represent/channels';
import { encodeHalf } from '../../../lib/cache/represent/codecs/float';
import { basisBytes, projected } from '../../../lib/cache/represent/codecs/low-rank';
import { encodeHead, perHead } from '../../../lib/cache/represent/encode';
import { encodeAcrossLayers } from '../../../lib/cache/represent/layers/across-layers';
import {
  fitProjection,
  principalBasis,
  truncatedBasis,
} from '../../../lib/cache/represent/layers/fit-basis';
import { greedyRanks } from '../../../lib/cache/represent/layers/greedy-ranks';
import { mergeSpherically } from '../../../lib/cache/represent/layers/spherical-merge';
import { byteLength, bytesByRole, type Matrix } from '../../../lib/cache/represent/matrix';
import { rotateInto } from '../../../lib/transformer/reference';
import { largestDifference, lowRankRows, matrixFrom, normalRows, squaredError } from './rows';

describe('several layers with shared coefficients (xKV)', () => {
  test('full rank is exact and shared bytes are counted once', () => {
    const layers = [normalRows(40, 6, 1), normalRows(40, 6, 2)];
    const encoded = encodeAcrossLayers(layers, 12);
    encoded.forEach((one, i) => {
      expect(largestDifference(one.decode(), layers[i]!.data)).toBeLessThan(0.02);
    });
    expect(bytesByRole(encoded[0]!.buffers)).toMatchObject({
      payload: 40 * 12 * 2,
      factors: 12 * 6 * 2,
    });
    expect(bytesByRole(encoded[1]!.buffers)).toMatchObject({ payload: 0, factors: 12 * 6 * 2 });
  });

  test('layers that repeat each other need the rank of one', () => {
    const layer = lowRankRows(60, 8, 3, 4);
    const twice: Matrix = { ...layer, data: layer.data.map((x) => -2 * x) };
    const [first, second] = encodeAcrossLayers([layer, twice], 3);
    const energy = squaredError(layer.data, new Float32Array(layer.data.length));
    expect(squaredError(first!.decode(), layer.data)).toBeLessThan(energy * 1e-3);
    expect(squaredError(second!.decode(), twice.data)).toBeLessThan(4 * energy * 1e-3);
  });

  test('names layers of unequal slots', () => {
    expect(() => encodeAcrossLayers([normalRows(3, 2, 1), normalRows(4, 2, 1)], 1)).toThrow(
      'invalid rows: 4 beside 3',
    );
  });
});

describe('spherical merge (MiniCache)', () => {
  test('of (3, 0) and (0, 1) halfway: 45 degrees, lengths kept', () => {
    const [first, second] = mergeSpherically(matrixFrom([[3, 0]]), matrixFrom([[0, 1]]), {
      share: 0.5,
      retained: 0,
    });
    const half = Math.SQRT1_2;
    expect(largestDifference(first.decode(), [3 * half, 3 * half])).toBeLessThan(2e-3);
    expect(largestDifference(second.decode(), [half, half])).toBeLessThan(1e-3);
    expect(byteLength(first.buffers) + byteLength(second.buffers)).toBe(4 + 1 + 2 + 2);
  });

  test('equal layers stay as they are, retained rows too', () => {
    const layer = normalRows(10, 6, 1);
    for (const retained of [0, 0.3, 1]) {
      const pair = mergeSpherically(layer, layer, { share: 0.5, retained });
      for (const one of pair) {
        expect(largestDifference(one.decode(), layer.data)).toBeLessThan(5e-3);
      }
    }
  });
});

describe('bases', () => {
  test('principal components by hand: points on y = x about (1, 2)', () => {
    const basis = principalBasis(
      matrixFrom([
        [0, 1],
        [2, 3],
      ]),
    );
    expect([...basis.mean!]).toEqual([1, 2]);
    expect(basis.variances[0]).toBeCloseTo(2, 12);
    expect(basis.variances[1]).toBeCloseTo(0, 12);
    expect(Math.abs(basis.vectors[0]!)).toBeCloseTo(Math.SQRT1_2, 12);
  });

  test('every leading part of a basis errs by the variance that it leaves out', () => {
    const matrix = normalRows(80, 8, 2);
    const basis = principalBasis(matrix);
    for (const rank of [0, 3, 8]) {
      const decoded = projected(truncatedBasis(basis, rank))(matrix).decode();
      const left = basis.variances.slice(rank).reduce((sum, v) => sum + v, 0) * 80;
      expect(squaredError(decoded, matrix.data)).toBeCloseTo(left, 1);
    }
    expect(basisBytes(truncatedBasis(basis, 3))).toBe(2 * (8 * 3 + 8));
    expect(byteLength(projected(truncatedBasis(basis, 3))(matrix).buffers)).toBe(80 * 3 * 2);
  });

  test('of the fits of a projection, the one to its outputs errs least (CSKV)', () => {
    const inputs = normalRows(200, 12, 3);
    for (let i = 0; i < inputs.data.length; i++) {
      if (i % 12 < 2) inputs.data[i] = 8 * inputs.data[i]!;
    }
    const weight = normalRows(8, 12, 4);
    const outputs = normalRows(200, 8, 0);
    for (let row = 0; row < 200; row++) {
      for (let o = 0; o < 8; o++) {
        let sum = 0;
        for (let i = 0; i < 12; i++) sum += inputs.data[row * 12 + i]! * weight.data[o * 12 + i]!;
        outputs.data[row * 8 + o] = sum;
      }
    }
    const errorOf = (fit: Parameters<typeof fitProjection>[2]) =>
      squaredError(projected(fitProjection(weight, 3, fit))(outputs).decode(), outputs.data);
    const plain = errorOf({ type: 'weights' });
    const scaled = errorOf({ type: 'scaled-weights', inputs, power: 1 });
    const best = errorOf({ type: 'outputs', outputs });
    expect(best).toBeLessThanOrEqual(scaled);
    expect(scaled).toBeLessThan(plain);
  });

  test('a low-rank weight is fitted exactly by all', () => {
    const weight = matrixFrom([
      [1, 2],
      [2, 4],
    ]);
    const inputs = normalRows(5, 2, 1);
    const outputs = matrixFrom(
      Array.from({ length: 5 }, (_, row) => {
        const y = inputs.data[row * 2]! + 2 * inputs.data[row * 2 + 1]!;
        return [y, 2 * y];
      }),
    );
    for (const fit of [{ type: 'weights' }, { type: 'outputs', outputs }] as const) {
      const decoded = projected(fitProjection(weight, 1, fit))(outputs).decode();
      expect(largestDifference(decoded, outputs.data)).toBeLessThan(0.01);
    }
  });

  test('greedy ranks by hand, and they spend the budget', () => {
    expect(
      greedyRanks(
        [
          [5, 4, 1],
          [6, 0.5],
        ],
        3,
      ),
    ).toEqual([2, 1]);
    expect(
      greedyRanks(
        [
          [5, 4, 1],
          [6, 0.5],
        ],
        3,
        [1, 10],
      ),
    ).toEqual([1, 2]);
    expect(greedyRanks([[5], [6]], 9)).toEqual([1, 1]);
    expect(() => greedyRanks([[1, 2]], 1)).toThrow('basis 0 grows at 1');
  });
});

describe('key channels (ThinK)', () => {
  const queries = matrixFrom([[3, 1, 0, 1]]);
  const keys = matrixFrom([
    [1, 2, 5, 3],
    [0, 0, 0, 4],
  ]);

  test('scores are products of lengths: 3, 2, 0 and 5', () => {
    expect([...channelScores(queries, keys)]).toEqual([3, 2, 0, 5]);
    expect(keptChannels(channelScores(queries, keys), 0.5, false)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test('in pairs, c with c + 2: both of a pair go', () => {
    const scores = pairScores(queries, keys);
    expect(scores[0]).toBeCloseTo(3 * Math.hypot(1, 5), 12);
    expect(scores[1]).toBeCloseTo(Math.SQRT2 * Math.hypot(2, 5), 12);
    expect([scores[2], scores[3]]).toEqual([scores[0], scores[1]]);
    expect(keptChannels(scores, 0.5, true)).toEqual([true, false, true, false]);
  });

  test('scores of pairs are the same before and after RoPE, those of channels are not', () => {
    const rope = makeRope({
      headSize: 8,
      base: 10_000,
      pairing: 'half-split',
      scaling: { type: 'none' },
    });
    const rotated = (matrix: Matrix): Matrix => {
      const data = new Float32Array(matrix.data.length);
      for (let row = 0; row < matrix.rows; row++) {
        rotateInto(matrix.data, row * 8, 3 * row + 1, rope, data, row * 8);
      }
      return { ...matrix, data };
    };
    const q = normalRows(4, 8, 1);
    const k = normalRows(30, 8, 2);
    const before = pairScores(q, k);
    const after = pairScores(rotated(q), rotated(k));
    expect(largestDifference(after, before)).toBeLessThan(1e-4);
    expect(
      largestDifference(channelScores(rotated(q), rotated(k)), channelScores(q, k)),
    ).toBeGreaterThan(0.1);
  });

  test('pruned channels take no bytes and read as 0', () => {
    const encoded = prunedChannels([true, false, false, true], encodeHalf)(keys);
    expect([...encoded.decode()]).toEqual([1, 0, 0, 3, 0, 0, 0, 4]);
    expect(bytesByRole(encoded.buffers)).toMatchObject({ payload: 8, indices: 1 });
    // Ranges 1, 2, 5 and 1.
    expect(widestChannels(keys, 0.5)).toEqual([false, true, true, false]);
  });
});

describe('one encoded matrix for several heads', () => {
  test('gives each head its columns and counts the buffers once', () => {
    const heads = perHead(
      encodeHalf(
        matrixFrom([
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ]),
      ),
      2,
    );
    expect(heads.map((head) => [...head.decode()])).toEqual([
      [1, 2, 5, 6],
      [3, 4, 7, 8],
    ]);
    expect(heads.map((head) => byteLength(head.buffers))).toEqual([16, 0]);
  });

  test('a pair knows its slots', () => {
    const head = {
      slots: 2,
      headSize: 2,
      keys: Float32Array.of(1, 2, 3, 4),
      values: Float32Array.of(5, 6, 7, 8),
    };
    const encoded = encodeHead(head, encodeHalf, encodeHalf);
    expect([encoded.slots, encoded.headSize, byteLength(encoded.buffers)]).toEqual([2, 2, 16]);
    expect([...encoded.decodeKeys(), ...encoded.decodeValues()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
