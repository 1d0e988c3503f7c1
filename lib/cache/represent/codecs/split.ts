import {
  indicesTo,
  type Matrix,
  type MatrixCodec,
  packFlags,
  readFlags,
  takeColumns,
  takeRows,
} from '../matrix';
import { encodeHalf } from './float';

/**
 * Mixed precision over channels: flagged columns by one codec, the others by another. One bit per
 * column says which.
 *
 * @throws RangeError where there are not as many flags as columns
 */
export function splitColumns(
  flags: readonly boolean[],
  flagged: MatrixCodec,
  others: MatrixCodec,
): MatrixCodec {
  return (matrix) => {
    checkFlags(flags, matrix.columns, 'columns');
    const mask = packFlags(flags);
    const parts = [
      flagged(takeColumns(matrix, placesOf(flags, true))),
      others(takeColumns(matrix, placesOf(flags, false))),
    ] as const;
    const { rows, columns } = matrix;
    return {
      rows,
      columns,
      buffers: [{ role: 'indices', data: mask }, ...parts.flatMap(({ buffers }) => buffers)],
      decode() {
        const out = new Float32Array(rows * columns);
        const read = readFlags(mask, columns);
        parts.forEach((part, index) => {
          const data = part.decode();
          const places = placesOf(read, index === 0);
          for (let row = 0; row < rows; row++) {
            places.forEach((column, i) => {
              out[row * columns + column] = data[row * places.length + i]!;
            });
          }
        });
        return out;
      },
    };
  };
}

/** Drops a column: nothing is stored and 0 is read. */
export function dropped({ rows, columns }: Matrix) {
  return { rows, columns, buffers: [], decode: () => new Float32Array(rows * columns) };
}

/**
 * The first rows by one codec and the last `windowRows` by another, f16 unless given. With
 * `multiple`, only whole multiples of it are compressed and the rest joins the window, as KIVI's
 * groups of tokens need (Liu et al. 2024).
 */
export function recentWindow(
  older: MatrixCodec,
  windowRows: number,
  options: { readonly multiple?: number; readonly recent?: MatrixCodec } = {},
): MatrixCodec {
  const { multiple = 1, recent = encodeHalf } = options;
  return (matrix) => {
    const { rows, columns } = matrix;
    const split = Math.floor(Math.max(0, rows - windowRows) / multiple) * multiple;
    const parts = [
      older(takeRows(matrix, indicesTo(split))),
      recent(
        takeRows(
          matrix,
          indicesTo(rows - split).map((i) => split + i),
        ),
      ),
    ];
    return {
      rows,
      columns,
      buffers: parts.flatMap(({ buffers }) => buffers),
      decode() {
        const out = new Float32Array(rows * columns);
        out.set(parts[0]!.decode());
        out.set(parts[1]!.decode(), split * columns);
        return out;
      },
    };
  };
}

function checkFlags(flags: readonly boolean[], count: number, what: string): void {
  if (flags.length !== count) {
    throw new RangeError(`invalid flags: ${flags.length} for ${count} ${what}`);
  }
}

function placesOf(flags: readonly boolean[], value: boolean): number[] {
  return indicesTo(flags.length).filter((i) => flags[i] === value);
}
