import type { MatrixCodec } from '../matrix';

/**
 * The orthonormal Fourier basis of `size` real numbers as real rows [size, size]: constant, then a
 * cosine and a sine per frequency, then the alternating row where `size` is even. The spectrum of
 * real numbers is conjugate symmetric, so these `size` coefficients are all of it; real and
 * imaginary parts of every bin would be twice as many numbers.
 */
export function realFourierBasis(size: number): Float64Array {
  const basis = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    basis[i] = Math.sqrt(1 / size);
    for (let f = 1; 2 * f < size; f++) {
      const angle = (2 * Math.PI * f * i) / size;
      basis[(2 * f - 1) * size + i] = Math.sqrt(2 / size) * Math.cos(angle);
      basis[2 * f * size + i] = Math.sqrt(2 / size) * Math.sin(angle);
    }
    if (size > 1 && size % 2 === 0) {
      basis[(size - 1) * size + i] = Math.sqrt(1 / size) * (i % 2 === 0 ? 1 : -1);
    }
  }
  return basis;
}

/** A codec over the Fourier coefficients of every row's channels (VidKV, Tao et al. 2025). */
export function inFourierSpace(inner: MatrixCodec): MatrixCodec {
  return (matrix) => {
    const { rows, columns, data } = matrix;
    const basis = realFourierBasis(columns);
    const encoded = inner({ rows, columns, data: apply(data, rows, columns, basis, false) });
    return {
      rows,
      columns,
      buffers: encoded.buffers,
      decode: () => apply(encoded.decode(), rows, columns, basis, true),
    };
  };
}

/** Every row times the basis, or times its transpose, which is its inverse. */
function apply(
  data: Float32Array,
  rows: number,
  columns: number,
  basis: Float64Array,
  isInverse: boolean,
): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < columns; k++) {
      let sum = 0;
      for (let i = 0; i < columns; i++) {
        sum += data[row * columns + i]! * basis[isInverse ? i * columns + k : k * columns + i]!;
      }
      out[row * columns + k] = sum;
    }
  }
  return out;
}
