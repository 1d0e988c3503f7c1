import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { iterated, leadingSubspace } from '../../../lib/cache/represent/algebra/leading-subspace';
import { gramOf, multiply, transposed } from '../../../lib/cache/represent/algebra/products';
import { symmetricEigen } from '../../../lib/cache/represent/algebra/symmetric-eigen';
import { truncatedSvd } from '../../../lib/cache/represent/algebra/truncated-svd';
import { breakEvenRows, factorisationSaving } from '../../../lib/cache/represent/break-even';
import { lowRank } from '../../../lib/cache/represent/codecs/low-rank';
import { byteLength } from '../../../lib/cache/represent/matrix';
import { largestDifference, lowRankRows, matrixFrom, normalRows, squaredError } from './rows';

const identity = (size: number) =>
  Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));

describe('eigenvectors of a symmetric matrix', () => {
  test('of [[2, 1], [1, 2]] are (1, 1) with 3 and (1, -1) with 1', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect([...values]).toEqual([expect.closeTo(3, 12), expect.closeTo(1, 12)]);
    expect(Math.abs(vectors[0]!)).toBeCloseTo(Math.SQRT1_2, 12);
    expect(vectors[0]! * vectors[1]!).toBeCloseTo(0.5, 12);
    expect(vectors[2]! * vectors[3]!).toBeCloseTo(-0.5, 12);
  });

  test('are orthonormal, rebuild the matrix and come with descending values', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        fc.integer({ min: 0, max: 1e6 }),
        (size, seed) => {
          const gram = gramOf(normalRows(size + 3, size, seed));
          const { values, vectors } = symmetricEigen(gram, size);
          const turned = transposed(vectors, size, size);
          expect(
            largestDifference(multiply(vectors, turned, size, size, size), identity(size)),
          ).toBeLessThan(1e-12);
          const scaled = vectors.map((v, i) => v * values[Math.floor(i / size)]!);
          const rebuilt = multiply(turned, scaled, size, size, size);
          expect(largestDifference(rebuilt, gram)).toBeLessThan(1e-10 * (1 + values[0]!));
          for (let i = 1; i < size; i++) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]!);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('of equal eigenvalues and of zero are still orthonormal', () => {
    for (const matrix of [identity(5), new Float64Array(25)]) {
      const { vectors } = symmetricEigen(matrix, 5);
      const product = multiply(vectors, transposed(vectors, 5, 5), 5, 5, 5);
      expect(largestDifference(product, identity(5))).toBe(0);
    }
  });

  test('names a wrong length and a value that is not finite', () => {
    expect(() => symmetricEigen(new Float64Array(3), 2)).toThrow('invalid matrix length: 3');
    expect(() => symmetricEigen(Float64Array.of(Number.NaN), 1)).toThrow('not finite');
  });
});

describe('the leading subspace by iteration', () => {
  test('agrees with all eigenvectors where a spectrum falls', () => {
    const gram = gramOf(lowRankRows(300, 120, 12, 4));
    const found = leadingSubspace(gram, 120, 12);
    expect(found.isApproximate).toBe(true);
    const exact = symmetricEigen(gram, 120);
    for (let i = 0; i < 12; i++) {
      expect(found.values[i]! / exact.values[i]!).toBeCloseTo(1, 8);
    }
    const product = multiply(found.vectors, transposed(found.vectors, 12, 120), 12, 120, 12);
    expect(largestDifference(product, identity(12))).toBeLessThan(1e-10);
  });

  test('rows that depend on others become zero instead of noise', () => {
    const gram = gramOf(matrixFrom([[1, 2, 2]]));
    const basis = iterated(gram, 3, 2, 3);
    expect(Math.hypot(...basis.subarray(0, 3))).toBeCloseTo(1, 12);
    expect([...basis.subarray(3)]).toEqual([0, 0, 0]);
  });

  test('names a rank outside the matrix', () => {
    expect(() => leadingSubspace(identity(3), 3, 4)).toThrow('invalid rank: 4 (expected 1..3)');
  });
});

describe('the truncated singular value decomposition', () => {
  test('of a matrix with singular values 3 and 1: keeps 3 and loses 1', () => {
    const matrix = matrixFrom([
      [3, 0],
      [0, 1],
      [0, 0],
    ]);
    const { left, right, values } = truncatedSvd(matrix, 1);
    expect(values[0]).toBeCloseTo(3, 12);
    const rebuilt = multiply(left, right, 3, 1, 2);
    expect([...rebuilt]).toEqual([3, 0, 0, 0, 0, 0]);
  });

  test('errs by the sum of the squares it leaves out, the least of that rank', () => {
    const matrix = normalRows(40, 10, 9);
    const all = truncatedSvd(matrix, 10).values;
    for (const rank of [1, 4, 9]) {
      const { left, right } = truncatedSvd(matrix, rank);
      const error = squaredError(multiply(left, right, 40, rank, 10), matrix.data);
      const least = all.slice(rank).reduce((sum, value) => sum + value * value, 0);
      expect(error).toBeCloseTo(least, 6);
    }
  });

  test('of full rank is exact', () => {
    const matrix = normalRows(7, 12, 3);
    const { left, right } = truncatedSvd(matrix, 12);
    expect(largestDifference(multiply(left, right, 7, 12, 12), matrix.data)).toBeLessThan(1e-6);
  });
});

describe('the break-even of a factorisation that carries its basis', () => {
  test('rank 32 of 256 channels pays from 37 rows, rank 256 never', () => {
    expect(breakEvenRows(32, 256)).toBeCloseTo(36.571, 3);
    expect(factorisationSaving(36, 32, 256)).toBeLessThan(0);
    expect(factorisationSaving(37, 32, 256)).toBeGreaterThan(0);
    expect(breakEvenRows(256, 256)).toBe(Number.POSITIVE_INFINITY);
  });

  test('is where the real buffers become smaller than f16 rows', () => {
    const columns = 24;
    for (const rank of [4, 8, 20]) {
      const least = Math.floor(breakEvenRows(rank, columns)) + 1;
      const bytesAt = (rows: number) =>
        byteLength(lowRank(rank)(normalRows(rows, columns, 1)).buffers);
      expect(bytesAt(least)).toBeLessThan(2 * least * columns);
      expect(bytesAt(least - 1)).toBeGreaterThanOrEqual(2 * (least - 1) * columns);
    }
  });
});
