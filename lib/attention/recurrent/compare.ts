import { f32Tolerance } from '../compare';
import { recurrentReference } from './reference';
import type { RecurrentInputs, RecurrentOutput, RecurrentShape, StateRule } from './types';

/** Where and how far an output or a state is from the f64 reference. */
export interface RecurrentError {
  readonly maxAbs: number;
  readonly stateMaxAbs: number;
  readonly at: {
    readonly batch: number;
    readonly head: number;
    readonly token: number;
    readonly dim: number;
  };
  readonly tolerance: number;
  readonly stateTolerance: number;
  readonly withinTolerance: boolean;
  /**
   * Largest difference in each of at most `STRETCHES` equal stretches of tokens, over all heads: whether
   * errors add up as a state is carried on. Older results lack it.
   */
  readonly stretches?: readonly number[];
}

const STRETCHES = 8;

/** Largest difference and its index; a NaN is the worst there is. */
function worst(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  if (actual.length !== expected.length) return { index: 0, difference: Number.POSITIVE_INFINITY };
  let index = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    const each = Math.abs(actual[i]! - expected[i]!);
    if (each <= difference) continue;
    index = i;
    difference = Number.isNaN(each) ? Number.POSITIVE_INFINITY : each;
  }
  return { index, difference };
}

/** Largest difference by stretch of tokens; of an output with another length, none. */
function byStretch(
  { tokens, valueSize }: RecurrentShape,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): readonly number[] {
  if (actual.length !== expected.length) return [];
  const count = Math.min(STRETCHES, tokens);
  const most = new Array<number>(count).fill(0);
  const row = tokens * valueSize;
  for (let i = 0; i < expected.length; i++) {
    const at = Math.floor((Math.floor((i % row) / valueSize) * count) / tokens);
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= most[at]!)) {
      most[at] = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    }
  }
  return most;
}

const largest = (values: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
};

/** Compares an f32 result with `recurrentReference`, output and last state, all elements. */
export function compareRecurrent(
  inputs: RecurrentInputs,
  rule: StateRule,
  actual: RecurrentOutput,
  initialState?: ArrayLike<number>,
): RecurrentError {
  return compareOutputs(inputs.shape, actual, recurrentReference(inputs, rule, initialState));
}

/**
 * Compares an f32 result with one in f64. The tolerances are `f32Tolerance` of a sum over
 * tokens + keySize terms at the magnitudes of the outputs and of the states.
 */
export function compareOutputs(
  shape: RecurrentShape,
  actual: RecurrentOutput,
  expected: RecurrentOutput,
): RecurrentError {
  const { heads, tokens, keySize, valueSize } = shape;
  const output = worst(actual.output, expected.output);
  const state = worst(actual.state, expected.state);
  const tolerance = f32Tolerance(tokens + keySize, largest(expected.output));
  const stateTolerance = f32Tolerance(tokens + keySize, largest(expected.state));
  const at = Math.floor(output.index / valueSize);
  return {
    maxAbs: output.difference,
    stateMaxAbs: state.difference,
    at: {
      batch: Math.floor(at / (tokens * heads)),
      head: Math.floor(at / tokens) % heads,
      token: at % tokens,
      dim: output.index % valueSize,
    },
    tolerance,
    stateTolerance,
    withinTolerance: output.difference <= tolerance && state.difference <= stateTolerance,
    stretches: byStretch(shape, actual.output, expected.output),
  };
}
