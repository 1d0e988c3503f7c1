import type { PlanFigures, PlanRow } from './result';

/** Smaller is better, all of them. */
const aims = (f: PlanFigures): readonly number[] => [
  -f.goodputPerAccelerator,
  f.pricePerMillionTokens,
  f.joulesPerToken,
];

function dominates(a: PlanFigures, b: PlanFigures): boolean {
  const [x, y] = [aims(a), aims(b)];
  return (
    x.every((value, i) => value <= (y[i] as number)) &&
    x.some((value, i) => value < (y[i] as number))
  );
}

/** Marks the rows that no other beats or equals in everything and beats in something. */
export function markPareto(rows: readonly PlanRow[]): readonly PlanRow[] {
  const known = rows.flatMap(({ figures }) =>
    figures !== undefined && figures.ratePerSecond > 0 ? [figures] : [],
  );
  return rows.map((row) => {
    const { figures } = row;
    const isPareto =
      figures !== undefined &&
      figures.ratePerSecond > 0 &&
      !known.some((other) => dominates(other, figures));
    return isPareto === row.isPareto ? row : { ...row, isPareto };
  });
}

const CHOICES = {
  goodput: (f: PlanFigures) => -f.goodputPerAccelerator,
  cost: (f: PlanFigures) => f.pricePerMillionTokens,
  energy: (f: PlanFigures) => f.joulesPerToken,
} as const;

/** Label of the best row; undefined where no plan holds the SLO. */
export function choosePlan(rows: readonly PlanRow[], by: keyof typeof CHOICES): string | undefined {
  let best: PlanRow | undefined;
  let least = Infinity;
  for (const row of rows) {
    if (row.figures === undefined || row.figures.ratePerSecond === 0) continue;
    const value = CHOICES[by](row.figures);
    if (value < least) {
      best = row;
      least = value;
    }
  }
  return best?.label;
}
