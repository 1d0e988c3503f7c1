import { leadingSubspace } from '../algebra/leading-subspace';
import { gramOf } from '../algebra/products';
import type { FixedBasis } from '../codecs/low-rank';
import type { Matrix } from '../matrix';

/** A basis with its spectrum: the variance along every direction. */
export interface FittedBasis extends FixedBasis {
  /** [rank], descending. */
  readonly variances: Float64Array;
}

/**
 * Principal components of rows, their mean subtracted: where MatryoshkaKV (Lin et al. 2024) begins
 * its training. Every leading part of the basis is itself the best of its size.
 */
export function principalBasis(matrix: Matrix, rank = matrix.columns): FittedBasis {
  const { rows, columns, data } = matrix;
  const mean = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) mean[i % columns] = mean[i % columns]! + data[i]! / rows;
  const centred = { rows, columns, data: data.map((x, i) => x - mean[i % columns]!) };
  const { vectors, values } = leadingSubspace(gramOf(centred), columns, rank);
  return { columns, rank, vectors, mean, variances: values.map((value) => value / rows) };
}

/** The leading `rank` directions of a basis. */
export function truncatedBasis<Basis extends FixedBasis>(basis: Basis, rank: number): FixedBasis {
  if (!(Number.isInteger(rank) && rank >= 0 && rank <= basis.rank)) {
    throw new RangeError(`invalid rank: ${rank} (expected 0..${basis.rank})`);
  }
  const { columns, vectors, mean } = basis;
  return {
    columns,
    rank,
    vectors: vectors.slice(0, rank * columns),
    ...(mean ? { mean } : {}),
  };
}

/** What a low-rank form of a projection is fitted to. */
export type ProjectionFit =
  /** The weight matrix alone. */
  | { readonly type: 'weights' }
  /** The weight matrix, its inputs scaled by their mean magnitude to a power (ASVD, Yuan et al. 2023). */
  | { readonly type: 'scaled-weights'; readonly inputs: Matrix; readonly power: number }
  /** Its outputs over a text: the least squares of this form (reduced-rank regression). */
  | { readonly type: 'outputs'; readonly outputs: Matrix };

/**
 * Basis of the outputs of a projection W for a low-rank form x A B (CSKV, Wang et al. 2024). For all
 * three fits B is a set of orthonormal rows and A = W B transposed, so that the cached row x A is
 * the key times B transposed: it can be had from the key alone. They differ in the Gram matrix whose
 * leading directions B holds: W^T W, W^T S^2 W, or K^T K. CSKV trains A and B on the reconstruction
 * error; the last fit is the optimum of that error without training.
 *
 * @param weight [outputs, inputs], as a model's weights are
 */
export function fitProjection(weight: Matrix, rank: number, fit: ProjectionFit): FittedBasis {
  const outputs = weight.rows;
  const matrix = fit.type === 'outputs' ? fit.outputs : asRows(weight, fit);
  const { vectors, values } = leadingSubspace(gramOf(matrix), outputs, rank);
  return { columns: outputs, rank, vectors, variances: values.map((v) => v / matrix.rows) };
}

/** The weights as [inputs, outputs], every input scaled. */
function asRows(weight: Matrix, fit: Exclude<ProjectionFit, { type: 'outputs' }>): Matrix {
  const { rows: outputs, columns: inputs, data } = weight;
  const scales = new Float64Array(inputs).fill(1);
  if (fit.type === 'scaled-weights') {
    if (fit.inputs.columns !== inputs) {
      throw new RangeError(`invalid inputs: ${fit.inputs.columns} wide (expected ${inputs})`);
    }
    scales.fill(0);
    fit.inputs.data.forEach((x, i) => {
      scales[i % inputs] = scales[i % inputs]! + Math.abs(x) / fit.inputs.rows;
    });
    scales.forEach((mean, i) => {
      scales[i] = mean ** fit.power;
    });
  }
  const turned = new Float32Array(data.length);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) {
      turned[i * outputs + o] = data[o * inputs + i]! * scales[i]!;
    }
  }
  return { rows: inputs, columns: outputs, data: turned };
}
