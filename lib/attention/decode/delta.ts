import type { DeltaStorage } from '../../spec/kinds/decode';
import { applyRope, undoRope } from '../position/rope';
import { makeRope } from '../position/rope-frequencies';

/** Base of the rotation that keys may have when they are stored. */
const ROPE_BASE = 10_000;

/** One head's rows as whole vectors and differences. */
export interface DeltaRows {
  /** What the stored numbers add up to, [rows, columns]. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Rows stored as differences, and how many of their numbers are 0. */
  readonly deltaRows: number;
  readonly zeros: number;
  /** f32 numbers that are kept, and a bit per number of a difference that says which. */
  readonly bytes: number;
}

/**
 * Rows as differences to the row before (after DeltaLLM, 2025): a number that moved by no more than
 * `threshold` since it was last stored is left out. Differences are taken to what the stored numbers
 * add up to, so that errors do not gather: each stays within the threshold. Whole are the first row
 * of every `groupTokens` and the last `windowTokens`. The paper sets its thresholds by accuracy and
 * memory; this one is a number.
 *
 * @param rows [rows, columns]
 */
export function deltaRows(
  rows: Float32Array,
  columns: number,
  { threshold, groupTokens, windowTokens, place }: DeltaStorage,
): DeltaRows {
  const count = rows.length / columns;
  const at = Float64Array.from({ length: count }, (_, row) => row);
  const rope = makeRope({ headSize: columns, base: ROPE_BASE, pairing: 'half-split' });
  const isRotated = place === 'after-rope';
  const source = isRotated ? Float32Array.from(applyRope(rows, at, rope)) : rows;
  const values = new Float32Array(rows.length);
  let differences = 0;
  let zeros = 0;
  for (let row = 0; row < count; row++) {
    const start = row * columns;
    if (row % groupTokens === 0 || row >= count - windowTokens) {
      values.set(source.subarray(start, start + columns), start);
      continue;
    }
    differences++;
    for (let c = 0; c < columns; c++) {
      const before = values[start - columns + c]!;
      const isKept = Math.abs(source[start + c]! - before) > threshold;
      values[start + c] = isKept ? source[start + c]! : before;
      if (!isKept) zeros++;
    }
  }
  const kept = count * columns - zeros;
  return {
    values: isRotated ? Float32Array.from(undoRope(values, at, rope)) : values,
    deltaRows: differences,
    zeros,
    bytes: 4 * kept + differences * Math.ceil(columns / 8),
  };
}
