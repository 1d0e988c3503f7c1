import { halvesToNumbers, roundToHalves } from '../../../attention/quantise/half';
import {
  type EncodedMatrix,
  type Matrix,
  packFlags,
  type RoleBuffer,
  readFlags,
  takeRows,
} from '../matrix';

export interface SphericalOptions {
  /** Place of the shared direction between the two, 0..1. */
  readonly share: number;
  /** Share of rows with the widest angle that both layers keep unmerged. */
  readonly retained: number;
}

/**
 * Two neighbouring layers' rows as one direction between them (spherical interpolation) and a
 * length for each; the rows that differ most stay apart (MiniCache, Liu et al. 2024). Everything
 * that both layers share is among the first one's buffers. Payload in f16.
 *
 * @throws RangeError where the shapes differ
 */
export function mergeSpherically(
  first: Matrix,
  second: Matrix,
  { share, retained }: SphericalOptions,
): readonly [EncodedMatrix, EncodedMatrix] {
  const { rows, columns } = first;
  if (second.rows !== rows || second.columns !== columns) {
    throw new RangeError(
      `invalid second matrix: ${second.rows} x ${second.columns} (expected ${rows} x ${columns})`,
    );
  }
  const units = [first, second].map(unitRows);
  const angles = Array.from({ length: rows }, (_, row) =>
    angleOf(units[0]!, units[1]!, row, columns),
  );
  const widest = [...angles.keys()]
    .sort((i, j) => angles[j]! - angles[i]! || i - j)
    .slice(0, Math.round(rows * retained));
  const apart = Array.from({ length: rows }, () => false);
  for (const row of widest) apart[row] = true;
  const mask = packFlags(apart);
  const merged = [...apart.keys()].filter((row) => !apart[row]);
  const directions = new Float32Array(merged.length * columns);
  merged.forEach((row, i) => {
    const [a, b] = arcWeights(angles[row]!, share);
    for (let c = 0; c < columns; c++) {
      const at = row * columns + c;
      directions[i * columns + c] = a * units[0]!.data[at]! + b * units[1]!.data[at]!;
    }
  });
  const shared = roundToHalves(directions);
  const encodeOne = (matrix: Matrix, unit: Unit, isFirst: boolean): EncodedMatrix => {
    const lengths = roundToHalves(Float32Array.from(merged, (row) => unit.lengths[row]!));
    const alone = roundToHalves(
      takeRows(
        matrix,
        [...apart.keys()].filter((row) => apart[row]),
      ).data,
    );
    const buffers: RoleBuffer[] = [
      { role: 'payload', data: alone },
      { role: 'scales', data: lengths },
    ];
    if (isFirst) {
      buffers.unshift({ role: 'payload', data: shared }, { role: 'indices', data: mask });
    }
    return {
      rows,
      columns,
      buffers,
      decode() {
        const out = new Float32Array(rows * columns);
        const [direction, length, own] = [shared, lengths, alone].map(halvesToNumbers);
        let together = 0;
        let single = 0;
        readFlags(mask, rows).forEach((isApart, row) => {
          for (let c = 0; c < columns; c++) {
            out[row * columns + c] = isApart
              ? own![single * columns + c]!
              : length![together]! * direction![together * columns + c]!;
          }
          if (isApart) single++;
          else together++;
        });
        return out;
      },
    };
  };
  return [encodeOne(first, units[0]!, true), encodeOne(second, units[1]!, false)];
}

interface Unit {
  readonly data: Float64Array;
  readonly lengths: Float64Array;
}

function unitRows({ rows, columns, data }: Matrix): Unit {
  const lengths = new Float64Array(rows);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / columns);
    lengths[row] = lengths[row]! + data[i]! ** 2;
  }
  lengths.forEach((square, row) => {
    lengths[row] = Math.sqrt(square);
  });
  return {
    lengths,
    data: Float64Array.from(data, (x, i) => x / (lengths[Math.floor(i / columns)]! || 1)),
  };
}

function angleOf(first: Unit, second: Unit, row: number, columns: number): number {
  let dot = 0;
  for (let c = 0; c < columns; c++) {
    dot += first.data[row * columns + c]! * second.data[row * columns + c]!;
  }
  return Math.acos(Math.max(-1, Math.min(1, dot)));
}

/** Shares of two unit vectors in the point between them on the arc; the chord where there is no arc. */
function arcWeights(angle: number, share: number): readonly [number, number] {
  const sine = Math.sin(angle);
  if (sine < 1e-6) return [1 - share, share];
  return [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
}
