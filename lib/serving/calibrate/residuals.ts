import { createRandom } from '../../random/random';
import { quantileSorted } from '../../stats/percentiles';

/** A measured row and what the fit says of it. */
export interface ResidualRow {
  /** Operator, or what was measured of a request. */
  readonly part: string;
  readonly measured: number;
  readonly predicted: number;
  /** Whether the fit did not see it. */
  readonly isHeldOut: boolean;
}

export interface PartResiduals {
  readonly part: string;
  readonly rows: number;
  readonly heldOut: number;
  /** Of the absolute relative error of the held-out rows. */
  readonly medianPct: number;
  readonly p90Pct: number;
  /** Mean of the signed relative error of the held-out rows: above 0 the fit is too slow. */
  readonly meanSignedPct: number;
}

export const HELD_OUT_SHARE = 0.2;
/** Rows of one law below which nothing can be held out honestly. */
export const LEAST_ROWS = 4;

/** Which rows the fit must not see: a fifth, the same for the same count, seed and label. */
export function heldOutRows(count: number, label: string): Uint8Array {
  const random = createRandom(20_26).fork(label);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = random.integer(0, i);
    [order[i], order[other]] = [order[other] as number, order[i] as number];
  }
  const isHeld = new Uint8Array(count);
  for (const row of order.slice(0, Math.round(count * HELD_OUT_SHARE))) isHeld[row] = 1;
  return isHeld;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Errors of the held-out rows in percent; of all rows where none was held out. */
export function summarizeResiduals(part: string, rows: readonly ResidualRow[]): PartResiduals {
  const held = rows.filter(({ isHeldOut }) => isHeldOut);
  const judged = held.length > 0 ? held : rows;
  const signed = judged.map(({ measured, predicted }) => (predicted / measured - 1) * 100);
  const sizes = Float64Array.from(signed, Math.abs).sort();
  return {
    part,
    rows: rows.length,
    heldOut: held.length,
    medianPct: rounded(quantileSorted(sizes, 0.5)),
    p90Pct: rounded(quantileSorted(sizes, 0.9)),
    meanSignedPct: rounded(signed.reduce((sum, value) => sum + value, 0) / signed.length),
  };
}
