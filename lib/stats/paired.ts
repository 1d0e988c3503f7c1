import { type Interval, wilsonInterval, Z_95 } from './wilson';

export interface Estimate extends Interval {
  readonly value: number;
}

/**
 * Difference of two shares over the same trials, with the hybrid score interval of 95 % (Newcombe,
 * 1998, paired: method 10 without continuity correction): it does not shrink to a point where the two
 * never differ.
 *
 * @throws RangeError unless both have the same trials, at least one
 */
export function pairedDifference(a: readonly boolean[], b: readonly boolean[]): Estimate {
  const total = a.length;
  if (total === 0 || total !== b.length) {
    throw new RangeError(`invalid trials: ${total} and ${b.length} (expected as many, at least 1)`);
  }
  const count = (holds: (i: number) => boolean) =>
    a.reduce((sum, _, i) => sum + (holds(i) ? 1 : 0), 0);
  const both = count((i) => a[i] === true && b[i] === true);
  const rightA = count((i) => a[i] === true);
  const rightB = count((i) => b[i] === true);
  const neither = total - rightA - rightB + both;
  const margins = rightA * (total - rightA) * rightB * (total - rightB);
  const correlation =
    margins === 0 ? 0 : (both * neither - (rightA - both) * (rightB - both)) / Math.sqrt(margins);
  const [shareA, shareB] = [rightA / total, rightB / total];
  const [wilsonA, wilsonB] = [wilsonInterval(rightA, total), wilsonInterval(rightB, total)];
  const reach = (x: number, y: number) =>
    Math.sqrt(Math.max(0, x * x - 2 * correlation * x * y + y * y));
  const value = shareA - shareB;
  return {
    value,
    low: Math.max(-1, value - reach(shareA - wilsonA.low, wilsonB.high - shareB)),
    high: Math.min(1, value + reach(wilsonA.high - shareA, shareB - wilsonB.low)),
  };
}

/**
 * Ratio of the means of two positive measures over the same trials, with an interval of 95 % by the
 * delta method on its logarithm and Student's t.
 *
 * @throws RangeError unless both have the same trials, at least one
 */
export function pairedRatio(a: readonly number[], b: readonly number[]): Estimate {
  const total = a.length;
  if (total === 0 || total !== b.length) {
    throw new RangeError(`invalid trials: ${total} and ${b.length} (expected as many, at least 1)`);
  }
  const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / total;
  const [meanA, meanB] = [mean(a), mean(b)];
  const value = meanA / meanB;
  if (meanA === 0 && meanB > 0) return { value: 0, low: 0, high: 0 };
  if (total < 2 || !(value > 0) || !Number.isFinite(value)) {
    return { value, low: 0, high: Number.POSITIVE_INFINITY };
  }
  const squares = a.reduce((sum, x, i) => sum + (x / meanA - (b[i] as number) / meanB) ** 2, 0);
  const error = Math.sqrt(squares / (total - 1) / total);
  const factor = Math.exp(studentT95(total - 1) * error);
  return { value, low: value / factor, high: value * factor };
}

/** 0.975 quantile of Student's t (Cornish-Fisher expansion; within 0.3 % from 4 degrees of freedom). */
export function studentT95(degrees: number): number {
  const z = Z_95;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}
