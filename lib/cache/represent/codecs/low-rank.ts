import { halvesToNumbers, roundToHalves } from '../../../attention/quantise/half';
import { iterated } from '../algebra/leading-subspace';
import { gramOf, multiply } from '../algebra/products';
import { projectRows, truncatedSvd } from '../algebra/truncated-svd';
import type { EncodedMatrix, Matrix, MatrixCodec } from '../matrix';
import { encodeHalf } from './float';

/**
 * The best approximation of a rank for this very matrix: coefficients per row, and a basis that is
 * part of the cache (ShadowKV's keys, Sun et al. 2024; xKV, Chang et al. 2025). Pays only beyond
 * `breakEvenRows`. A rank above the columns or the rows is lowered to them: more cannot be needed.
 */
export function lowRank(rank: number, coefficients: MatrixCodec = encodeHalf): MatrixCodec {
  return (matrix) => {
    const { rows, columns } = matrix;
    if (rows === 0) return encodeHalf(matrix);
    const used = Math.min(rank, rows, columns);
    const { left, right } = truncatedSvd(matrix, used);
    const basis = roundToHalves(Float32Array.from(right));
    const encoded = coefficients({ rows, columns: used, data: Float32Array.from(left) });
    return {
      rows,
      columns,
      buffers: [...encoded.buffers, { role: 'factors', data: basis }],
      decode: () =>
        Float32Array.from(multiply(encoded.decode(), halvesToNumbers(basis), rows, used, columns)),
    };
  };
}

/** A basis that was fitted before, as a model's weights are: it takes no bytes of a cache. */
export interface FixedBasis {
  readonly columns: number;
  readonly rank: number;
  /** Orthonormal rows, [rank, columns]. */
  readonly vectors: Float64Array;
  /** Subtracted before the projection and added after, [columns]; 0 unless given. */
  readonly mean?: Float64Array;
}

/**
 * Coefficients in a fixed basis, leading columns only (MatryoshkaKV, Lin et al. 2024; CSKV, Wang et
 * al. 2024). The basis belongs to the model and its bytes are not the cache's: see `basisBytes`.
 */
export function projected(basis: FixedBasis, coefficients: MatrixCodec = encodeHalf): MatrixCodec {
  return (matrix) => {
    const { rows, columns, data } = matrix;
    if (columns !== basis.columns) {
      throw new RangeError(`invalid basis: ${basis.columns} columns (expected ${columns})`);
    }
    const { mean, rank, vectors } = basis;
    const centred = mean ? data.map((x, i) => x - mean[i % columns]!) : data;
    const left = projectRows({ rows, columns, data: centred }, vectors, rank);
    const encoded = coefficients({ rows, columns: rank, data: Float32Array.from(left) });
    return {
      rows,
      columns,
      buffers: encoded.buffers,
      decode() {
        const out = multiply(encoded.decode(), vectors, rows, rank, columns);
        return Float32Array.from(out, (x, i) => x + (mean?.[i % columns] ?? 0));
      },
    };
  };
}

/** As `projected`, with a basis that the cache has to carry: rounded to f16 and counted. */
export function carried(basis: FixedBasis, coefficients: MatrixCodec = encodeHalf): MatrixCodec {
  const vectors = roundToHalves(Float32Array.from(basis.vectors));
  const mean = basis.mean && roundToHalves(Float32Array.from(basis.mean));
  const rounded: FixedBasis = {
    columns: basis.columns,
    rank: basis.rank,
    vectors: Float64Array.from(halvesToNumbers(vectors)),
    ...(mean ? { mean: Float64Array.from(halvesToNumbers(mean)) } : {}),
  };
  return (matrix) => {
    const encoded = projected(rounded, coefficients)(matrix);
    return {
      ...encoded,
      buffers: [
        ...encoded.buffers,
        { role: 'factors', data: vectors },
        ...(mean ? [{ role: 'factors', data: mean } as const] : []),
      ],
    };
  };
}

/** Bytes a fixed basis takes beside a model's weights, in f16. */
export function basisBytes({ columns, rank, mean }: FixedBasis): number {
  return 2 * (columns * rank + (mean ? columns : 0));
}

export interface ResidualOptions {
  readonly rank: number;
  /** Power iterations; GEAR's code runs 3. */
  readonly loops: number;
}

/**
 * A codec corrected by a low-rank form of what it loses (GEAR, Kang et al. 2024), by power
 * iteration. Both factors are f16 and counted as such.
 */
export function withLowRankResidual(inner: MatrixCodec, options: ResidualOptions): MatrixCodec {
  return (matrix) => {
    const backbone = inner(matrix);
    const { rows, columns, data } = matrix;
    const rank = Math.min(options.rank, rows, columns);
    if (rank === 0) return backbone;
    const approximate = backbone.decode();
    const residual: Matrix = { rows, columns, data: data.map((x, i) => x - approximate[i]!) };
    const basis = iterated(gramOf(residual), columns, rank, options.loops);
    const correction = factorsOf(residual, basis, rank);
    return {
      rows,
      columns,
      buffers: [...backbone.buffers, ...correction.buffers],
      decode() {
        const out = backbone.decode();
        const added = correction.decode();
        return out.map((x, i) => x + added[i]!);
      },
    };
  };
}

/** A matrix as its coefficients in a basis, and the basis; both f16. */
function factorsOf(matrix: Matrix, basis: Float64Array, rank: number): EncodedMatrix {
  const { rows, columns } = matrix;
  const left = roundToHalves(Float32Array.from(projectRows(matrix, basis, rank)));
  const right = roundToHalves(Float32Array.from(basis));
  return {
    rows,
    columns,
    buffers: [
      { role: 'factors', data: left },
      { role: 'factors', data: right },
    ],
    decode: () =>
      Float32Array.from(
        multiply(halvesToNumbers(left), halvesToNumbers(right), rows, rank, columns),
      ),
  };
}
