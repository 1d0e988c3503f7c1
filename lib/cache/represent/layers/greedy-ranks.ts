/**
 * Ranks for several bases under a common budget: one direction after the other goes to the basis
 * that gains most by it, the earlier of equals. With variances as gains the sum of squared errors is
 * the least for that budget, because every spectrum descends. (MatryoshkaKV searches greedily by the
 * model's own loss, which takes a pass per step; this is the closed form.)
 *
 * @param gains of every basis's directions, descending
 * @param budget directions to give out in all
 * @param weights multiply the gains of a basis; 1 unless given
 * @returns rank of every basis; they sum to the budget, or to all directions there are
 * @throws RangeError where a spectrum does not descend
 */
export function greedyRanks(
  gains: readonly ArrayLike<number>[],
  budget: number,
  weights: readonly number[] = gains.map(() => 1),
): number[] {
  gains.forEach((spectrum, basis) => {
    for (let i = 1; i < spectrum.length; i++) {
      if (spectrum[i]! > spectrum[i - 1]!) {
        throw new RangeError(`invalid gains: basis ${basis} grows at ${i} (expected descending)`);
      }
    }
  });
  const ranks = gains.map(() => 0);
  for (let given = 0; given < budget; given++) {
    let best = -1;
    let most = -Infinity;
    gains.forEach((spectrum, basis) => {
      const rank = ranks[basis]!;
      if (rank >= spectrum.length) return;
      const gain = spectrum[rank]! * weights[basis]!;
      if (gain > most) {
        most = gain;
        best = basis;
      }
    });
    if (best < 0) break;
    ranks[best] = ranks[best]! + 1;
  }
  return ranks;
}
