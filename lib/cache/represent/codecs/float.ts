import { halvesToNumbers, roundToHalves } from '../../../attention/quantise/half';
import type { EncodedMatrix, Matrix } from '../matrix';

/** f32: nothing is lost. */
export function encodeSingle({ rows, columns, data }: Matrix): EncodedMatrix {
  const copy = data.slice();
  return {
    rows,
    columns,
    buffers: [{ role: 'payload', data: copy }],
    decode: () => copy.slice(),
  };
}

/** f16, to nearest: what papers call full precision. @throws RangeError above 65,504 */
export function encodeHalf({ rows, columns, data }: Matrix): EncodedMatrix {
  const halves = roundToHalves(data);
  return {
    rows,
    columns,
    buffers: [{ role: 'payload', data: halves }],
    decode: () => halvesToNumbers(halves),
  };
}
