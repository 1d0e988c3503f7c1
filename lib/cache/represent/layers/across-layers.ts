import { halvesToNumbers, roundToHalves } from '../../../attention/quantise/half';
import { multiply } from '../algebra/products';
import { truncatedSvd } from '../algebra/truncated-svd';
import { besideEachOther, type EncodedMatrix, type Matrix, type RoleBuffer } from '../matrix';

/**
 * Several layers' matrices, of the same slots, as coefficients that they share and a basis of each
 * layer's own (xKV, Chang et al. 2025): the singular value decomposition of the matrices side by
 * side. The shared coefficients are among the first layer's buffers, and counted once.
 *
 * @param matrices one per layer, equal rows; pre-RoPE where they are keys
 * @param rank lowered to the rows or the columns of all layers together
 * @throws RangeError where the rows differ or the rank is below 1
 */
export function encodeAcrossLayers(matrices: readonly Matrix[], rank: number): EncodedMatrix[] {
  const together = besideEachOther(matrices);
  const { rows, columns } = together;
  if (!(Number.isInteger(rank) && rank >= 1)) {
    throw new RangeError(`invalid rank: ${rank} (expected an integer from 1)`);
  }
  const used = Math.min(rank, rows, columns);
  const { left, right } =
    used === 0 ? { left: [], right: new Float64Array(0) } : truncatedSvd(together, used);
  const shared = roundToHalves(Float32Array.from(left));
  let at = 0;
  return matrices.map((matrix, layer) => {
    const own = new Float32Array(used * matrix.columns);
    for (let r = 0; r < used; r++) {
      for (let c = 0; c < matrix.columns; c++) {
        own[r * matrix.columns + c] = right[r * columns + at + c]!;
      }
    }
    at += matrix.columns;
    const basis = roundToHalves(own);
    const buffers: RoleBuffer[] = [{ role: 'factors', data: basis }];
    if (layer === 0) buffers.unshift({ role: 'payload', data: shared });
    return {
      rows,
      columns: matrix.columns,
      buffers,
      decode: () =>
        Float32Array.from(
          multiply(halvesToNumbers(shared), halvesToNumbers(basis), rows, used, matrix.columns),
        ),
    };
  });
}
