import { f32Tolerance, findLost } from '../compare';
import { referenceRow } from '../reference';
import type { AttentionInputs, AttentionOutput } from '../types';
import type { DecodeError, KernelError } from './result';

/** The call that holds a batch entry, and which of its entries it is. */
export type EntryOf = (batch: number) => readonly [AttentionInputs, number];

/** Rows [batch, queryHeads, queries] that are compared, and f64 attention at them. */
export interface ReferenceRows {
  readonly rows: Uint32Array;
  /** [rows, headSize]. */
  readonly output: Float64Array;
  readonly lse: Float64Array;
}

/** All rows where they fit the budget, else the same number of each query head, spread over batch and queries. */
export function rowsToCompare(
  shape: AttentionInputs['shape'],
  maxFlops: number,
): Uint32Array<ArrayBuffer> {
  const { batch, queryHeads, queries, keys, headSize } = shape;
  const perHead = batch * queries;
  const affordable = Math.floor(maxFlops / (4 * keys * headSize * queryHeads));
  const count = Math.min(perHead, Math.max(1, affordable));
  return Uint32Array.from({ length: queryHeads * count }, (_, i) => {
    const head = Math.floor(i / count);
    const each = Math.floor(((i % count) * perHead) / count);
    return (Math.floor(each / queries) * queryHeads + head) * queries + (each % queries);
  });
}

/** f64 attention at the rows, yielding the share done after each. */
export function* referenceRows(
  shape: AttentionInputs['shape'],
  entryOf: EntryOf,
  rows: Uint32Array,
): Generator<number, ReferenceRows> {
  const { queryHeads, queries, headSize } = shape;
  const output = new Float64Array(rows.length * headSize);
  const lse = new Float64Array(rows.length);
  for (const [i, row] of rows.entries()) {
    const [inputs, batch] = entryOf(Math.floor(row / (queries * queryHeads)));
    const head = Math.floor(row / queries) % queryHeads;
    const out = output.subarray(i * headSize, (i + 1) * headSize);
    lse[i] = referenceRow(inputs, batch, head, row % queries, out);
    yield (i + 1) / rows.length;
  }
  return { rows, output, lse };
}

/** The larger one; a NaN is the worst there is. */
const worse = (a: number, b: number) => (b <= a ? a : Number.isNaN(a) ? a : b);
/** Equal infinities are equal; their difference would be NaN. */
const distance = (a: number, b: number) => (a === b ? 0 : Math.abs(a - b));

/**
 * How far an output is from unquantised attention. An error is relative to the Euclidean norm of
 * the unquantised output, over all compared rows or those of a query head.
 */
export function decodeError(
  shape: AttentionInputs['shape'],
  actual: AttentionOutput,
  expected: ReferenceRows,
): DecodeError {
  const { queryHeads, queries, headSize } = shape;
  const errors = new Float64Array(queryHeads);
  const signals = new Float64Array(queryHeads);
  let maxAbs = 0;
  let lseMaxAbs = 0;
  for (const [i, row] of expected.rows.entries()) {
    const head = Math.floor(row / queries) % queryHeads;
    for (let d = 0; d < headSize; d++) {
      const reference = expected.output[i * headSize + d]!;
      const difference = Math.abs(actual.output[row * headSize + d]! - reference);
      maxAbs = worse(maxAbs, difference);
      errors[head]! += difference * difference;
      signals[head]! += reference * reference;
    }
    lseMaxAbs = worse(lseMaxAbs, distance(actual.lse[row]!, expected.lse[i]!));
  }
  const relative = (error: number, signal: number) => (error === 0 ? 0 : Math.sqrt(error / signal));
  const sum = (values: Float64Array) => values.reduce((total, each) => total + each, 0);
  return {
    relativeL2: relative(sum(errors), sum(signals)),
    maxAbs,
    lseMaxAbs,
    headRelativeL2: Array.from(errors, (error, head) => relative(error, signals[head]!)),
  };
}

/** How far a kernel is from f64 attention over the tensors that it read, and whether f32 explains it. */
export function kernelError(
  { batch, queryHeads, queries, keys, headSize }: AttentionInputs['shape'],
  actual: AttentionOutput,
  expected: ReferenceRows,
): KernelError {
  let maxAbs = 0;
  let lseMaxAbs = 0;
  let largest = 0;
  let largestLse = 0;
  for (const [i, row] of expected.rows.entries()) {
    for (let d = 0; d < headSize; d++) {
      const reference = expected.output[i * headSize + d]!;
      largest = Math.max(largest, Math.abs(reference));
      maxAbs = worse(maxAbs, Math.abs(actual.output[row * headSize + d]! - reference));
    }
    const lse = expected.lse[i]!;
    if (Number.isFinite(lse)) largestLse = Math.max(largestLse, Math.abs(lse));
    lseMaxAbs = worse(lseMaxAbs, distance(actual.lse[row]!, lse));
  }
  const isWhole = expected.rows.length === batch * queryHeads * queries;
  if (!isWhole && findLost(actual, headSize) >= 0) maxAbs = Number.NaN;
  const tolerance = f32Tolerance(keys, largest);
  return {
    maxAbs,
    lseMaxAbs,
    tolerance,
    checkedRows: expected.rows.length,
    totalRows: batch * queryHeads * queries,
    withinTolerance: maxAbs <= tolerance && lseMaxAbs <= f32Tolerance(keys, largestLse),
  };
}
