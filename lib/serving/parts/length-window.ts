/** A request that could have a place. */
export interface Candidate {
  readonly id: number;
  /** What it is worth; the more the better. */
  readonly worth: number;
  readonly tokens: number;
}

/**
 * JITServe's GMAX: of the candidates worth at least `share` of the `seats`-th best, by length, the
 * `seats` neighbours of the largest sum. All of them where there are no more than seats.
 */
export function lengthWindow(
  candidates: readonly Candidate[],
  seats: number,
  share: number,
): ReadonlySet<number> {
  if (candidates.length <= seats) return new Set(candidates.map(({ id }) => id));
  const byWorth = candidates.toSorted((a, b) => b.worth - a.worth || a.id - b.id);
  const least = share * (byWorth[seats - 1]?.worth ?? 0);
  const near = byWorth
    .filter(({ worth }, i) => i < seats || worth >= least)
    .sort((a, b) => a.tokens - b.tokens || a.id - b.id);
  let sum = 0;
  let most = -Infinity;
  let end = seats;
  near.forEach(({ worth }, i) => {
    sum += worth - (near[i - seats]?.worth ?? 0);
    if (i < seats - 1 || sum <= most) return;
    most = sum;
    end = i + 1;
  });
  return new Set(near.slice(end - seats, end).map(({ id }) => id));
}
