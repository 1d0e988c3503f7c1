/** A search for the highest rate that holds: ask `next`, try it, `tell` what came of it. */
export interface RateSearch {
  /** The rate to try now; undefined when the search is over. */
  next(): number | undefined;
  /** What came of the rate that `next` gave, or of any other that was tried. */
  tell(ratePerSecond: number, holds: boolean): void;
  found(): {
    /** The highest rate seen to hold; 0 when none did. */
    readonly ratePerSecond: number;
    /** The lowest rate above it seen not to hold; Infinity when none was. */
    readonly failsAtPerSecond: number;
  };
}

/** The search gives up doubling here. */
const MOST_RATE = 1e6;
/** Halvings below the least rate that was tried: where a request alone misses the SLO, no rate holds. */
const MOST_HALVINGS = 10;

/**
 * Doubling or halving from `start` until a rate holds and another does not, then bisection until
 * they are within `tolerance` of the lower one. It takes what holds at a rate to hold below it, which
 * seeds blur: the bracket is around the lowest rate that was seen to fail.
 *
 * @param start rate to begin with, where nothing was told before; above 0
 * @param tolerance above 0, below 1
 * @throws RangeError
 */
export function createRateSearch(start: number, tolerance: number): RateSearch {
  if (!(tolerance > 0 && tolerance < 1))
    throw new RangeError(`invalid tolerance: ${tolerance} (expected between 0 and 1)`);
  if (!(start > 0) || start === Infinity)
    throw new RangeError(`invalid rate: ${start} /s (expected above 0)`);
  const tried = new Map<number, boolean>();
  /** What was there when halving began: told rates may lie far below the start. */
  let floor: number | undefined;

  function bracket(): readonly [good: number, bad: number] {
    let bad = Infinity;
    for (const [rate, holds] of tried) if (!holds) bad = Math.min(bad, rate);
    let good = 0;
    for (const [rate, holds] of tried) if (holds && rate < bad) good = Math.max(good, rate);
    return [good, bad];
  }

  return {
    next() {
      if (tried.size === 0) return start;
      const [good, bad] = bracket();
      if (bad === Infinity) return good < MOST_RATE ? good * 2 : undefined;
      if (good === 0) {
        floor ??= bad / 2 ** MOST_HALVINGS;
        return bad > floor ? bad / 2 : undefined;
      }
      return bad - good > tolerance * good ? (good + bad) / 2 : undefined;
    },
    tell: (rate, holds) => void tried.set(rate, holds),
    found() {
      const [ratePerSecond, failsAtPerSecond] = bracket();
      return { ratePerSecond, failsAtPerSecond };
    },
  };
}
