import type { OperatorCost } from '../../spec/kinds/serve-profile';
import { operatorMicroseconds } from '../cost/profile';

/** Sums of a line's weighted normal equations over the first samples, for every count of them. */
interface Sums {
  readonly w: Float64Array;
  readonly wx: Float64Array;
  readonly wxx: Float64Array;
  readonly wy: Float64Array;
  readonly wxy: Float64Array;
}

/** A line base + slope x by relative least squares over samples [from, to), slope >= 0. */
function lineOf(sums: Sums, from: number, to: number, isBaseFree: boolean): [number, number] {
  const over = (column: Float64Array): number => (column[to] as number) - (column[from] as number);
  const [w, x, xx, y, xy] = [sums.w, sums.wx, sums.wxx, sums.wy, sums.wxy].map(over) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const determinant = w * xx - x * x;
  const slope = determinant > w * xx * 1e-12 ? (w * xy - x * y) / determinant : 0;
  if (!(slope > 0)) return [y / w, 0];
  const base = (y - slope * x) / w;
  return base >= 0 || isBaseFree ? [base, slope] : [0, xy / xx];
}

/**
 * The larger of two lines through samples of an operator, by relative least squares: every sample is
 * tried as the place where the second line takes over. A second line needs at least `LEAST` samples
 * and must be steeper, else there is one line alone.
 *
 * @param sizes tokens, in any order
 * @param microseconds measured, above 0
 */
export function fitTwoLines(
  sizes: ArrayLike<number>,
  microseconds: ArrayLike<number>,
): OperatorCost {
  const order = Array.from({ length: sizes.length }, (_, i) => i).sort(
    (a, b) => (sizes[a] as number) - (sizes[b] as number),
  );
  const x = order.map((i) => sizes[i] as number);
  const y = order.map((i) => microseconds[i] as number);
  const count = x.length;
  const column = (value: (i: number) => number): Float64Array => {
    const sums = new Float64Array(count + 1);
    for (let i = 0; i < count; i++) sums[i + 1] = (sums[i] as number) + value(i);
    return sums;
  };
  const weight = (i: number): number => 1 / (y[i] as number) ** 2;
  const sums: Sums = {
    w: column(weight),
    wx: column((i) => weight(i) * (x[i] as number)),
    wxx: column((i) => weight(i) * (x[i] as number) ** 2),
    wy: column((i) => weight(i) * (y[i] as number)),
    wxy: column((i) => weight(i) * (x[i] as number) * (y[i] as number)),
  };
  const squares = (cost: OperatorCost): number =>
    x.reduce(
      (sum, size, i) => sum + (operatorMicroseconds(cost, size) / (y[i] as number) - 1) ** 2,
      0,
    );
  const [base, slope] = lineOf(sums, 0, count, false);
  let best: OperatorCost = {
    baseMicroseconds: base,
    perTokenMicroseconds: slope,
    lateBaseMicroseconds: 0,
    latePerTokenMicroseconds: 0,
  };
  let least = squares(best);
  // One line that is exact already: what a second would gain is rounding.
  if (least < count * EXACT ** 2) return best;
  for (let at = LEAST; at <= count - LEAST; at++) {
    const [firstBase, firstSlope] = lineOf(sums, 0, at, false);
    const [lateBase, lateSlope] = lineOf(sums, at, count, true);
    if (lateSlope <= firstSlope) continue;
    const cost = {
      baseMicroseconds: firstBase,
      perTokenMicroseconds: firstSlope,
      lateBaseMicroseconds: lateBase,
      latePerTokenMicroseconds: lateSlope,
    };
    const found = squares(cost);
    // A second line must earn its two numbers.
    if (found < least * 0.98) {
      best = cost;
      least = found;
    }
  }
  return best;
}

/** Relative error below which a line is exact. */
const EXACT = 1e-6;
/** Least samples of each line. */
const LEAST = 3;
