import { halvesToNumbers, roundToHalves } from '../../../attention/quantise/half';
import { dequantise, quantise } from '../../../attention/quantise/quantise';
import type { Granularity, QuantisationScheme } from '../../../attention/quantise/types';
import type { EncodedMatrix, Matrix, MatrixCodec, RoleBuffer } from '../matrix';
import { encodeHalf } from './float';

export interface UniformOptions {
  /** 16 stores f16, without scales. */
  readonly bits: 2 | 4 | 8 | 16;
  readonly granularity: Granularity;
  /** 'asymmetric' unless given. */
  readonly mode?: QuantisationScheme['mode'];
}

/**
 * Uniform quantisation by the quantisers of `lib/attention/quantise`, with scales and zeros in f16.
 * With groups of tokens whose number does not divide the rows, the last group is shorter.
 *
 * @throws RangeError where a group of channels does not divide the columns, or a value does not fit
 */
export function uniform({ bits, granularity, mode = 'asymmetric' }: UniformOptions): MatrixCodec {
  if (bits === 16) return encodeHalf;
  return (matrix) => encodeUniform(matrix, { bits, mode, granularity, scaleType: 'f16' });
}

function encodeUniform(matrix: Matrix, scheme: QuantisationScheme): EncodedMatrix {
  const { rows, columns, data } = matrix;
  if (rows === 0 || columns === 0) {
    return { rows, columns, buffers: [], decode: () => new Float32Array(0) };
  }
  const quantised = quantise(data, { rows, columns }, scheme);
  // The scales were rounded to f16 by `quantise`: storing them so loses nothing.
  const scales = roundToHalves(quantised.scales);
  const zeros = quantised.zeros && roundToHalves(quantised.zeros);
  const buffers: RoleBuffer[] = [
    { role: 'payload', data: quantised.packed },
    { role: 'scales', data: scales },
  ];
  if (zeros) buffers.push({ role: 'scales', data: zeros });
  const { packed, shape, bytes } = quantised;
  return {
    rows,
    columns,
    buffers,
    decode: () =>
      dequantise({
        shape,
        scheme,
        packed,
        bytes,
        scales: halvesToNumbers(scales),
        zeros: zeros && halvesToNumbers(zeros),
      }),
  };
}
