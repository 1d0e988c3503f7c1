import { halvesToNumbers, roundToHalves } from '../../../attention/quantise/half';
import type { Matrix, MatrixCodec } from '../matrix';

/** Smallest divisor of a channel: an empty channel is left alone, and nothing overflows f16. */
const SMALLEST_DIVISOR = 2 ** -10;

/**
 * Divides every channel by its number before a codec and multiplies it after: channels that stick
 * out no longer stretch the scale of a token. The divisors are stored in f16.
 *
 * @param divisors of the matrix's channels, [columns]
 */
export function channelScaled(
  divisors: (matrix: Matrix) => Float32Array,
  inner: MatrixCodec,
): MatrixCodec {
  return (matrix) => {
    const { rows, columns, data } = matrix;
    const halves = roundToHalves(
      divisors(matrix).map((value) => Math.max(SMALLEST_DIVISOR, value)),
    );
    const factors = halvesToNumbers(halves);
    const scaled = inner({ rows, columns, data: data.map((x, i) => x / factors[i % columns]!) });
    return {
      rows,
      columns,
      buffers: [...scaled.buffers, { role: 'factors', data: halves }],
      decode() {
        const read = halvesToNumbers(halves);
        return scaled.decode().map((x, i) => x * read[i % columns]!);
      },
    };
  };
}

/** Largest magnitude of every channel, [columns]. */
export function channelMaxima({ rows, columns, data }: Matrix): Float32Array {
  const maxima = new Float32Array(columns);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++, i++) maxima[c] = Math.max(maxima[c]!, Math.abs(data[i]!));
  }
  return maxima;
}

/** ZipCache's channel-separable quantisation divides a channel by the root of its largest magnitude. */
export function rootOfMaxima(matrix: Matrix): Float32Array {
  return channelMaxima(matrix).map(Math.sqrt);
}

/**
 * Divisors that balance keys against queries: 1 / b with b = sqrt(max|q| / max|k|) per channel, so
 * that keys times b are quantised and queries divided by b. The formula is from memory of MiKV and
 * not checked. Queries and keys must be of the same kind, both before RoPE here.
 *
 * @param queries [any number, columns]
 */
export function balancedBy(queries: Matrix): (keys: Matrix) => Float32Array {
  const largest = channelMaxima(queries);
  return (keys) => {
    if (keys.columns !== queries.columns) {
      throw new RangeError(
        `invalid queries: ${queries.columns} channels (expected ${keys.columns})`,
      );
    }
    return channelMaxima(keys).map((key, c) => {
      const query = largest[c]!;
      return query > 0 && key > 0 ? Math.sqrt(key / query) : 1;
    });
  };
}
