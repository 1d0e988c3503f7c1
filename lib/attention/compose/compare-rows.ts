import type { AttentionShape } from '../../spec/kinds/attention';
import { f32Tolerance, worse } from '../compare';
import type { ComposeError } from './result';

export type RowOf = (batch: number, head: number, query: number) => Float64Array;

type Heads = Pick<AttentionShape, 'batch' | 'queryHeads' | 'queries' | 'keys'>;

/** Rows between two looks at the messages. */
const ROWS_PER_STEP = 8;

/** The output [batch, queryHeads, queries, valueSize] that rows are compared with. */
export interface ComposedOutput {
  readonly shape: Heads;
  readonly valueSize: number;
  readonly output: Float64Array;
}

function placeOf({ queryHeads, queries }: Heads, row: number) {
  return {
    batch: Math.floor(row / (queries * queryHeads)),
    head: Math.floor(row / queries) % queryHeads,
    query: row % queries,
  };
}

/**
 * The largest difference of some rows from what they should be.
 *
 * @param rows indices into [batch, queryHeads, queries]
 * @param gain how far the composition can enlarge an error of a part, such as 1 + |lambda|
 * @returns the error; yields the share of rows done
 */
export function* rowErrorSteps(
  { shape, valueSize, output }: ComposedOutput,
  rows: Uint32Array,
  expected: RowOf,
  gain: number,
): Generator<number, ComposeError> {
  let maxAbs = 0;
  let largest = 0;
  let at = { batch: 0, head: 0, query: 0, dim: 0 };
  const worst: { readonly difference: number; readonly magnitude: number }[] = [];
  for (const [i, row] of rows.entries()) {
    const place = placeOf(shape, row);
    const wanted = expected(place.batch, place.head, place.query);
    let rowWorst = { difference: 0, magnitude: 0 };
    for (let dim = 0; dim < valueSize; dim++) {
      const reference = wanted[dim]!;
      const difference = Math.abs(reference - output[row * valueSize + dim]!);
      largest = Math.max(largest, Math.abs(reference));
      if (!(difference <= maxAbs)) {
        maxAbs = worse(maxAbs, difference);
        at = { ...place, dim };
      }
      if (!(difference <= rowWorst.difference)) {
        rowWorst = { difference, magnitude: Math.abs(reference) };
      }
    }
    worst.push(rowWorst);
    if (i % ROWS_PER_STEP === 0) yield (i + 1) / rows.length;
  }
  const floor = Math.max(1e-3 * largest, Number.MIN_VALUE);
  const tolerance = gain * f32Tolerance(shape.keys, largest);
  return {
    maxAbs,
    maxRel: worst.reduce(
      (most, { difference, magnitude }) => worse(most, difference / Math.max(magnitude, floor)),
      0,
    ),
    at,
    checkedRows: rows.length,
    totalRows: shape.batch * shape.queryHeads * shape.queries,
    tolerance,
    withinTolerance: maxAbs <= tolerance,
  };
}

/**
 * |output - other| / |other| over some rows of every head (L2).
 *
 * @returns [queryHeads]; yields the share of rows done
 */
export function* distanceSteps(
  { shape, valueSize, output }: ComposedOutput,
  rows: Uint32Array,
  other: RowOf,
): Generator<number, readonly number[]> {
  const squares = new Float64Array(shape.queryHeads);
  const totals = new Float64Array(shape.queryHeads);
  for (const [i, row] of rows.entries()) {
    const { batch, head, query } = placeOf(shape, row);
    const wanted = other(batch, head, query);
    for (let dim = 0; dim < valueSize; dim++) {
      squares[head]! += (output[row * valueSize + dim]! - wanted[dim]!) ** 2;
      totals[head]! += wanted[dim]! ** 2;
    }
    if (i % ROWS_PER_STEP === 0) yield (i + 1) / rows.length;
  }
  return Array.from(squares, (square, head) => Math.sqrt(square / (totals[head] || 1)));
}

/** The largest difference of two outputs. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = worse(most, Math.abs(a[i]! - b[i]!));
  return most;
}
