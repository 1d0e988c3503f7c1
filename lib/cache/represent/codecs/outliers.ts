import { halvesToNumbers, roundToHalves } from '../../../attention/quantise/half';
import type { MatrixCodec } from '../matrix';

export interface OutlierOptions {
  /** Share of entries kept apart, half of it the largest and half the smallest of every vector. */
  readonly share: number;
  /** A vector is a channel over all rows, or a row over all channels. */
  readonly along: 'channel' | 'token';
}

/** Entries taken from either end of a vector. */
export function outliersPerEnd(share: number, length: number): number {
  return Math.min(Math.floor(length / 2), Math.round((share / 2) * length));
}

/**
 * Keeps the largest and the smallest entries of every vector apart in f16, with a 16-bit index
 * each, and puts the mean of the others in their place for the inner codec (the sparse part of
 * GEAR, Kang et al. 2024). Short vectors may have none: `outliersPerEnd` says.
 *
 * @throws RangeError for a share outside 0..1 or vectors of more than 65,536 entries
 */
export function withOutliers(inner: MatrixCodec, { share, along }: OutlierOptions): MatrixCodec {
  if (!(share >= 0 && share <= 1)) {
    throw new RangeError(`invalid outlier share: ${share} (expected 0..1)`);
  }
  return (matrix) => {
    const { rows, columns, data } = matrix;
    const vectors = along === 'channel' ? columns : rows;
    const length = along === 'channel' ? rows : columns;
    if (length > 65_536)
      throw new RangeError(`invalid vector length: ${length} (expected ..65536)`);
    const perEnd = outliersPerEnd(share, length);
    const placeOf = (vector: number, i: number) =>
      along === 'channel' ? i * columns + vector : vector * columns + i;
    const indices = new Uint16Array(vectors * perEnd * 2);
    const values = new Float32Array(indices.length);
    const rest = data.slice();
    for (let vector = 0; vector < vectors; vector++) {
      const order = Array.from({ length }, (_, i) => i).sort(
        (i, j) => data[placeOf(vector, i)]! - data[placeOf(vector, j)]!,
      );
      const inside = order.slice(perEnd, length - perEnd);
      const sum = inside.reduce((total, i) => total + data[placeOf(vector, i)]!, 0);
      const mean = inside.length > 0 ? sum / inside.length : 0;
      [...order.slice(0, perEnd), ...order.slice(length - perEnd)].forEach((i, n) => {
        indices[vector * perEnd * 2 + n] = i;
        values[vector * perEnd * 2 + n] = data[placeOf(vector, i)]!;
        rest[placeOf(vector, i)] = mean;
      });
    }
    const halves = roundToHalves(values);
    const backbone = inner({ rows, columns, data: rest });
    return {
      rows,
      columns,
      buffers: [
        ...backbone.buffers,
        { role: 'indices', data: indices },
        { role: 'payload', data: halves },
      ],
      decode() {
        const out = backbone.decode();
        const read = halvesToNumbers(halves);
        read.forEach((value, n) => {
          out[placeOf(Math.floor(n / (perEnd * 2)), indices[n]!)] = value;
        });
        return out;
      },
    };
  };
}
