import type { AttentionShape } from '../spec/kinds/attention';
import { referenceRow } from './reference';
import { runSteps } from './steps';
import type { AttentionError, AttentionInputs, AttentionOutput } from './types';

/**
 * Tolerance of an f32 kernel against f64, absolute, for values of order `scale`: rounding errors of
 * a sum of n terms grow like sqrt(n), and the exponent amplifies those of the score.
 */
export function f32Tolerance(keys: number, scale: number): number {
  return 2e-6 * Math.sqrt(keys) * Math.max(1, scale);
}

/** Rows to check: all when they fit the budget, else a spread that always has each head's first and last. */
export function rowsToCheck(shape: AttentionShape, maxFlops: number): Uint32Array {
  const { batch, queryHeads, queries, keys, headSize } = shape;
  const total = batch * queryHeads * queries;
  const affordable = Math.floor(maxFlops / (4 * keys * headSize));
  if (affordable >= total) return Uint32Array.from({ length: total }, (_, i) => i);
  const heads = batch * queryHeads;
  const perHead = Math.min(queries, Math.max(2, Math.floor(affordable / heads)));
  const rows = new Uint32Array(heads * perHead);
  for (let h = 0; h < heads; h++) {
    for (let i = 0; i < perHead; i++) {
      const query = perHead === 1 ? 0 : Math.round((i * (queries - 1)) / (perHead - 1));
      rows[h * perHead + i] = h * queries + query;
    }
  }
  return rows;
}

/** Arithmetic of the reference between two yields: a few milliseconds. */
const STEP_FLOPS = 4e6;

/**
 * Compares an output with the f64 reference, row by row, within a budget of arithmetic; yields the
 * share done every few milliseconds.
 *
 * @param options.maxFlops budget of the reference; above it a fixed spread of rows is checked
 */
export function* compareSteps(
  inputs: AttentionInputs,
  actual: AttentionOutput,
  options: { readonly maxFlops: number },
): Generator<number, AttentionError> {
  const { queryHeads, queries, keys, headSize } = inputs.shape;
  const rows = rowsToCheck(inputs.shape, options.maxFlops);
  const expected = new Float64Array(headSize);
  let maxAbs = 0;
  let lseMaxAbs = 0;
  let largest = 0;
  let largestLse = 0;
  let at = { batch: 0, head: 0, query: 0, dim: 0 };
  const relative: { difference: number; magnitude: number }[] = [];

  const rowsPerStep = Math.max(1, Math.floor(STEP_FLOPS / (4 * keys * headSize)));
  for (const [i, row] of rows.entries()) {
    if (i > 0 && i % rowsPerStep === 0) yield i / rows.length;
    const query = row % queries;
    const head = Math.floor(row / queries) % queryHeads;
    const batch = Math.floor(row / (queries * queryHeads));
    const lse = referenceRow(inputs, batch, head, query, expected);
    const actualLse = actual.lse[row] ?? Number.NaN;
    // Equal infinities are equal; their difference would be NaN.
    const lseDifference = lse === actualLse ? 0 : Math.abs(lse - actualLse);
    lseMaxAbs = worse(lseMaxAbs, lseDifference);
    if (Number.isFinite(lse)) largestLse = Math.max(largestLse, Math.abs(lse));
    let rowWorst = { difference: 0, magnitude: 0 };
    for (let d = 0; d < headSize; d++) {
      const reference = expected[d] as number;
      const difference = Math.abs(reference - (actual.output[row * headSize + d] ?? Number.NaN));
      largest = Math.max(largest, Math.abs(reference));
      if (!(difference <= maxAbs)) {
        maxAbs = worse(maxAbs, difference);
        at = { batch, head, query, dim: d };
      }
      if (!(difference <= rowWorst.difference)) {
        rowWorst = { difference, magnitude: Math.abs(reference) };
      }
    }
    relative.push(rowWorst);
  }

  // What was not compared must at least be numbers.
  const lost = rows.length * headSize < actual.output.length ? findLost(actual, headSize) : -1;
  if (lost >= 0) {
    const query = lost % queries;
    const head = Math.floor(lost / queries) % queryHeads;
    at = { batch: Math.floor(lost / (queries * queryHeads)), head, query, dim: 0 };
    maxAbs = Number.NaN;
  }

  const floor = Math.max(1e-3 * largest, Number.MIN_VALUE);
  let maxRel = 0;
  for (const { difference, magnitude } of relative) {
    maxRel = worse(maxRel, difference / Math.max(magnitude, floor));
  }
  const tolerance = f32Tolerance(keys, largest);
  return {
    maxAbs,
    maxRel,
    lseMaxAbs,
    at,
    checkedRows: rows.length,
    totalRows: inputs.shape.batch * queryHeads * queries,
    tolerance,
    withinTolerance: maxAbs <= tolerance && lseMaxAbs <= f32Tolerance(keys, largestLse),
  };
}

/**
 * The first row of an output that holds what is no number, or whose log-sum-exp is none; -1 where
 * there is none. A log-sum-exp of -Infinity is that of a masked row.
 */
export function findLost({ output, lse }: AttentionOutput, headSize: number): number {
  for (let i = 0; i < output.length; i++) {
    if (!Number.isFinite(output[i])) return Math.floor(i / headSize);
  }
  for (let row = 0; row < lse.length; row++) {
    if (!(lse[row]! < Number.POSITIVE_INFINITY)) return row;
  }
  return -1;
}

/** `compareSteps` run to the end. */
export function compareOutputs(
  inputs: AttentionInputs,
  actual: AttentionOutput,
  options: { readonly maxFlops: number },
): AttentionError {
  return runSteps(compareSteps(inputs, actual, options));
}

/** The larger of two differences, where NaN is the worst there is (Math.max would keep it too, `>` would not). */
export function worse(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b);
}
