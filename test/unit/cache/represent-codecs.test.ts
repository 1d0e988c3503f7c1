import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  balancedBy,
  channelScaled,
  rootOfMaxima,
} from '../../../lib/cache/represent/codecs/channel-scale';
import {
  oneBit,
  packTrits,
  readTrits,
  ternary,
} from '../../../lib/cache/represent/codecs/few-levels';
import { encodeHalf, encodeSingle } from '../../../lib/cache/represent/codecs/float';
import { lowRank, withLowRankResidual } from '../../../lib/cache/represent/codecs/low-rank';
import { outliersPerEnd, withOutliers } from '../../../lib/cache/represent/codecs/outliers';
import { realFourierBasis } from '../../../lib/cache/represent/codecs/real-fourier';
import { recentWindow, splitColumns } from '../../../lib/cache/represent/codecs/split';
import { uniform } from '../../../lib/cache/represent/codecs/uniform';
import { byteLength, bytesByRole, packFlags, readFlags } from '../../../lib/cache/represent/matrix';
import { largestDifference, matrixFrom, normalRows, squaredError } from './rows';

const perToken = (bits: 2 | 4 | 8 | 16) => uniform({ bits, granularity: { type: 'token' } });
const seeds = fc.integer({ min: 0, max: 1e6 });

describe('laws of every codec', () => {
  test('16 bits are f16: the identity up to its rounding', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const matrix = normalRows(9, 8, seed);
        const decoded = perToken(16)(matrix).decode();
        for (let i = 0; i < decoded.length; i++) {
          const x = matrix.data[i]!;
          expect(Math.abs(decoded[i]! - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -11 + 2 ** -25);
        }
        expect([...encodeSingle(matrix).decode()]).toEqual([...matrix.data]);
      }),
    );
  });

  test('full rank is exact up to f16, and so is a full-rank residual', () => {
    const matrix = normalRows(30, 8, 5);
    const largest = Math.max(...matrix.data.map(Math.abs));
    expect(largestDifference(lowRank(8)(matrix).decode(), matrix.data)).toBeLessThan(
      largest * 0.004,
    );
    const corrected = withLowRankResidual(perToken(2), { rank: 8, loops: 3 })(matrix);
    const plain = squaredError(perToken(2)(matrix).decode(), matrix.data);
    expect(squaredError(corrected.decode(), matrix.data)).toBeLessThan(plain * 1e-5);
  });

  test('decoding again gives the same numbers', () => {
    const matrix = normalRows(12, 8, 2);
    const codec = recentWindow(withOutliers(perToken(2), { share: 0.3, along: 'token' }), 3);
    const encoded = codec(matrix);
    expect([...encoded.decode()]).toEqual([...encoded.decode()]);
  });

  test('no rows make no bytes', () => {
    const empty = normalRows(0, 8, 1);
    for (const codec of [perToken(4), perToken(16), lowRank(4), ternary(4), oneBit(4)]) {
      const encoded = codec(empty);
      expect(byteLength(encoded.buffers)).toBe(0);
      expect(encoded.decode().length).toBe(0);
    }
  });
});

describe('bytes are those of the buffers', () => {
  test('4 bits per token over 16 channels: 8 bytes of codes, 2 of scale and 2 of zero', () => {
    const bytes = bytesByRole(perToken(4)(normalRows(10, 16, 1)).buffers);
    expect(bytes).toEqual({
      payload: 80,
      scales: 40,
      indices: 0,
      factors: 0,
      summaries: 0,
      positions: 0,
    });
  });

  test('KIVI-like 2 bits in groups of 32 are 3 bits per number', () => {
    const matrix = normalRows(64, 64, 1);
    const keys = uniform({ bits: 2, granularity: { type: 'channel', groupTokens: 32 } })(matrix);
    const values = uniform({ bits: 2, granularity: { type: 'grouped', groupChannels: 32 } })(
      matrix,
    );
    expect((8 * byteLength(keys.buffers)) / 4096).toBe(3);
    expect((8 * byteLength(values.buffers)) / 4096).toBe(3);
  });

  test('a window is f16 rows', () => {
    const window = bytesByRole(recentWindow(perToken(2), 4)(normalRows(10, 16, 1)).buffers);
    expect(window.payload).toBe(6 * 4 + 4 * 32);
  });

  test('a factorisation counts coefficients and basis apart', () => {
    const bytes = bytesByRole(lowRank(4)(normalRows(50, 16, 1)).buffers);
    expect([bytes.payload, bytes.factors]).toEqual([50 * 4 * 2, 4 * 16 * 2]);
  });
});

describe('small cases by hand', () => {
  test('a window with groups of 4 keeps the rest of a group: 11 rows, window 2 quantise 8', () => {
    const codec = recentWindow(perToken(2), 2, { multiple: 4 });
    expect(bytesByRole(codec(normalRows(11, 16, 1)).buffers).payload).toBe(8 * 4 + 3 * 32);
  });

  test('one bit: 1, 2, 6, 7 become 1.5, 1.5, 6.5, 6.5', () => {
    const encoded = oneBit(4)(matrixFrom([[1], [2], [6], [7]]));
    expect([...encoded.decode()]).toEqual([1.5, 1.5, 6.5, 6.5]);
  });

  test('ternary: 4, -2, 1, 0 has mean magnitude 1.75, threshold 1.225 and scale 3', () => {
    const encoded = ternary(4)(matrixFrom([[4], [-2], [1], [0]]));
    expect([...encoded.decode()]).toEqual([3, -3, 0, 0]);
  });

  test('trits come back, five to a byte', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(-1, 0, 1), { maxLength: 40 }), (digits) => {
        const packed = packTrits(Int8Array.from(digits));
        expect(packed.length).toBe(Math.ceil(digits.length / 5));
        expect([...readTrits(packed, digits.length)]).toEqual(digits);
      }),
    );
  });

  test('flags come back, eight to a byte', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (flags) => {
        expect(readFlags(packFlags(flags), flags.length)).toEqual(flags);
      }),
    );
  });

  test('outliers of 10 with 20 %: one at either end, the mean of the others in its place', () => {
    const column = [[100], [1], [2], [3], [4], [5], [6], [7], [8], [-50]];
    let seen: number[] = [];
    const codec = withOutliers(
      (matrix) => {
        seen = [...matrix.data];
        return encodeHalf(matrix);
      },
      { share: 0.2, along: 'channel' },
    );
    const encoded = codec(matrixFrom(column));
    expect(seen).toEqual([4.5, 1, 2, 3, 4, 5, 6, 7, 8, 4.5]);
    expect([...encoded.decode()]).toEqual(column.flat());
    const bytes = bytesByRole(encoded.buffers);
    expect([bytes.indices, bytes.payload]).toEqual([4, 20 + 4]);
    expect(outliersPerEnd(0.02, 16)).toBe(0);
    expect(outliersPerEnd(0.02, 64)).toBe(1);
  });

  test('balancing: |q| 4 against |k| 16 multiplies the key channel by 1/2', () => {
    const divisors = balancedBy(matrixFrom([[4, 1]]))(matrixFrom([[-16, 0]]));
    expect([...divisors]).toEqual([2, 1]);
  });

  test('dividing channels by the root of their maximum helps a token beside an outlying channel', () => {
    const matrix = normalRows(40, 16, 7);
    for (let row = 0; row < 40; row++) matrix.data[row * 16 + 3] = 50 * matrix.data[row * 16 + 3]!;
    const others = (decoded: Float32Array) =>
      squaredError(
        decoded.filter((_, i) => i % 16 !== 3),
        matrix.data.filter((_, i) => i % 16 !== 3),
      );
    const plain = others(perToken(4)(matrix).decode());
    const scaled = others(channelScaled(rootOfMaxima, perToken(4))(matrix).decode());
    expect(scaled).toBeLessThan(plain / 4);
  });

  test('columns of two codecs go back to their places', () => {
    const matrix = matrixFrom([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const codec = splitColumns([false, true, false], encodeHalf, encodeSingle);
    expect([...codec(matrix).decode()]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => splitColumns([true], encodeHalf, encodeHalf)(matrix)).toThrow(
      'invalid flags: 1 for 3 columns',
    );
  });
});

describe('the Fourier trap of VidKV', () => {
  test('n real numbers have n independent coefficients, not 2 n as real and imaginary parts of all bins', () => {
    for (const size of [1, 2, 5, 8]) {
      const basis = realFourierBasis(size);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          let dot = 0;
          for (let k = 0; k < size; k++) dot += basis[i * size + k]! * basis[j * size + k]!;
          expect(dot).toBeCloseTo(i === j ? 1 : 0, 12);
        }
      }
    }
  });

  test('of 1, 2, 3, 4: mean 5, first bin (-1, -1) root 2 apart, alternating -1', () => {
    const basis = realFourierBasis(4);
    const coefficients = [0, 1, 2, 3].map((k) =>
      [1, 2, 3, 4].reduce((sum, x, i) => sum + x * basis[k * 4 + i]!, 0),
    );
    expect(coefficients[0]).toBeCloseTo(5, 12);
    expect(coefficients[1]).toBeCloseTo(-2 / Math.SQRT2, 12);
    expect(coefficients[2]).toBeCloseTo(-2 / Math.SQRT2, 12);
    expect(coefficients[3]).toBeCloseTo(-1, 12);
  });
});
