/**
 * Whole numbers in proportion to weights: each at least 1 and at most its cap, and together `total`
 * unless the caps do not allow it. What a cap refuses is shared out again among the others; the
 * remainders go to the largest fractions, the earlier of equals first.
 *
 * @param weights finite, not negative; all alike where they sum to 0
 * @throws RangeError for a weight that is negative or not finite
 */
export function shareOut(
  weights: readonly number[],
  total: number,
  caps: readonly number[],
): number[] {
  for (const weight of weights) {
    if (!(weight >= 0 && weight < Infinity)) {
      throw new RangeError(`invalid weight: ${weight} (expected a finite number from 0)`);
    }
  }
  const shares = weights.map(() => 0);
  let open = weights.map((_, i) => i);
  let left = total;
  while (open.length > 0) {
    const sum = open.reduce((all, i) => all + weights[i]!, 0);
    const ideal = (i: number) => (sum > 0 ? (weights[i]! / sum) * left : left / open.length);
    const full = open.filter((i) => ideal(i) > caps[i]!);
    const low = open.filter((i) => ideal(i) < Math.min(1, caps[i]!));
    if (full.length === 0 && low.length === 0) {
      fillInto(shares, open, ideal, left, caps);
      break;
    }
    // Those whose bound moves more are settled first: the rest of the other kind may be none then.
    const over = full.reduce((sum, i) => sum + ideal(i) - caps[i]!, 0);
    const under = low.reduce((sum, i) => sum + Math.min(1, caps[i]!) - ideal(i), 0);
    const settled = over > under ? full : low;
    for (const i of settled) shares[i] = over > under ? caps[i]! : Math.min(1, caps[i]!);
    for (const i of settled) left = Math.max(0, left - shares[i]!);
    open = open.filter((i) => !settled.includes(i));
  }
  return shares;
}

function fillInto(
  shares: number[],
  open: readonly number[],
  ideal: (i: number) => number,
  left: number,
  caps: readonly number[],
): void {
  let rest = Math.round(left);
  for (const i of open) {
    shares[i] = Math.floor(ideal(i));
    rest -= shares[i]!;
  }
  const byFraction = [...open].sort((a, b) => (ideal(b) % 1) - (ideal(a) % 1) || a - b);
  for (const i of byFraction) {
    if (rest <= 0) break;
    if (shares[i]! >= caps[i]!) continue;
    shares[i] = shares[i]! + 1;
    rest--;
  }
}
