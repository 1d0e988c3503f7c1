export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Standard normal quantile of 0.975: intervals of 95 %. */
export const Z_95 = 1.959963984540054;

/**
 * Score interval of a share (Wilson, 1927), without continuity correction. `total` may be an
 * effective number and need not be whole.
 *
 * @throws RangeError unless 0 <= successes <= total
 */
export function wilsonInterval(successes: number, total: number, z = Z_95): Interval {
  if (!(successes >= 0 && successes <= total)) {
    throw new RangeError(`invalid successes: ${successes} of ${total} (expected 0..${total})`);
  }
  if (total === 0) return { low: 0, high: 1 };
  const share = successes / total;
  const square = (z * z) / total;
  const center = (share + square / 2) / (1 + square);
  const half = (z / (1 + square)) * Math.sqrt((share * (1 - share)) / total + square / (4 * total));
  return {
    low: successes === 0 ? 0 : Math.max(0, center - half),
    high: successes === total ? 1 : Math.min(1, center + half),
  };
}
