/**
 * Rows beyond which a factorisation that carries its own basis is smaller than the rows themselves,
 * at equal bytes per number: rows x rank + rank x columns < rows x columns. Infinite where the rank
 * is not below the columns.
 */
export function breakEvenRows(rank: number, columns: number): number {
  return rank < columns ? (rank * columns) / (columns - rank) : Number.POSITIVE_INFINITY;
}

/** Share of numbers that a factorisation saves at a length; negative where it costs. */
export function factorisationSaving(rows: number, rank: number, columns: number): number {
  return 1 - (rank * (rows + columns)) / (rows * columns);
}
