/** How far one tensor is from another. */
export interface TensorError {
  readonly maxAbs: number;
  readonly rootMeanSquare: number;
  /** |actual - expected| / |expected|, Euclidean; 0 where both are 0, infinite where only expected is. */
  readonly relativeL2: number;
  /** 20 log10(1 / relativeL2). */
  readonly signalToNoiseDecibels: number;
}

/**
 * Error of a tensor, all elements; a NaN anywhere makes every statistic NaN.
 *
 * @throws RangeError where the lengths differ or are 0
 */
export function tensorError(actual: ArrayLike<number>, expected: ArrayLike<number>): TensorError {
  if (actual.length !== expected.length || actual.length === 0) {
    throw new RangeError(`invalid lengths: ${actual.length} and ${expected.length}`);
  }
  let maxAbs = 0;
  let error = 0;
  let signal = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    maxAbs = Math.max(maxAbs, difference);
    error += difference * difference;
    signal += expected[i]! * expected[i]!;
  }
  const relativeL2 = error === 0 ? 0 : Math.sqrt(error / signal);
  return {
    maxAbs,
    rootMeanSquare: Math.sqrt(error / expected.length),
    relativeL2,
    signalToNoiseDecibels: -20 * Math.log10(relativeL2),
  };
}
