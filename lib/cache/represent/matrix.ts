import type { BufferRole } from '../types';

/** Row-major numbers; rows are slots, columns are channels of one or more heads. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns] */
  readonly data: Float32Array;
}

/** A real buffer of an encoded matrix, and what it is for. */
export interface RoleBuffer {
  readonly role: BufferRole;
  readonly data: ArrayBufferView;
}

/** A matrix in a compressed form: `decode` reads nothing but the buffers and numbers fixed by the method. */
export interface EncodedMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly buffers: readonly RoleBuffer[];
  /** [rows, columns] */
  decode(): Float32Array;
}

/** A way to compress a matrix. Codecs are combined by functions that take codecs and give one. */
export type MatrixCodec = (matrix: Matrix) => EncodedMatrix;

/** @throws RangeError where the data has another length than rows x columns */
export function matrixOf(data: Float32Array, rows: number, columns: number): Matrix {
  if (data.length !== rows * columns) {
    throw new RangeError(`invalid matrix length: ${data.length} (expected ${rows} x ${columns})`);
  }
  return { rows, columns, data };
}

export function takeRows(matrix: Matrix, rows: readonly number[]): Matrix {
  const { columns, data } = matrix;
  const taken = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => {
    taken.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return { rows: rows.length, columns, data: taken };
}

export function takeColumns(matrix: Matrix, columns: readonly number[]): Matrix {
  const taken = new Float32Array(matrix.rows * columns.length);
  for (let row = 0; row < matrix.rows; row++) {
    columns.forEach((column, i) => {
      taken[row * columns.length + i] = matrix.data[row * matrix.columns + column]!;
    });
  }
  return { rows: matrix.rows, columns: columns.length, data: taken };
}

/** Matrices of equal row counts side by side. @throws RangeError where the rows differ */
export function besideEachOther(matrices: readonly Matrix[]): Matrix {
  const rows = matrices[0]?.rows ?? 0;
  const columns = matrices.reduce((sum, matrix) => sum + matrix.columns, 0);
  const data = new Float32Array(rows * columns);
  let at = 0;
  for (const matrix of matrices) {
    if (matrix.rows !== rows) {
      throw new RangeError(`invalid rows: ${matrix.rows} beside ${rows} (expected as many)`);
    }
    for (let row = 0; row < rows; row++) {
      const from = row * matrix.columns;
      data.set(matrix.data.subarray(from, from + matrix.columns), row * columns + at);
    }
    at += matrix.columns;
  }
  return { rows, columns, data };
}

/** Numbers 0 .. count - 1. */
export function indicesTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** One bit per flag, the first in the lowest bit. */
export function packFlags(flags: readonly boolean[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(flags.length / 8));
  flags.forEach((flag, i) => {
    if (flag) bytes[i >> 3] = bytes[i >> 3]! | (1 << (i & 7));
  });
  return bytes;
}

/** The inverse of `packFlags`. */
export function readFlags(bytes: Uint8Array, count: number): boolean[] {
  return Array.from({ length: count }, (_, i) => ((bytes[i >> 3]! >> (i & 7)) & 1) === 1);
}

export function byteLength(buffers: readonly RoleBuffer[]): number {
  return buffers.reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** Bytes by what they are for; every role is there. */
export function bytesByRole(buffers: readonly RoleBuffer[]): Record<BufferRole, number> {
  const bytes: Record<BufferRole, number> = {
    payload: 0,
    scales: 0,
    indices: 0,
    factors: 0,
    summaries: 0,
    positions: 0,
  };
  for (const { role, data } of buffers) bytes[role] += data.byteLength;
  return bytes;
}

/** The buffers with another role, where a codec serves as part of another. */
export function inRole(buffers: readonly RoleBuffer[], role: BufferRole): RoleBuffer[] {
  return buffers.map(({ data }) => ({ role, data }));
}
