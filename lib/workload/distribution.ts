import { quantileSorted } from '../stats/percentiles';

/** Quantiles of a column and its distribution function. */
export interface Distribution {
  readonly mean: number;
  readonly least: number;
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly most: number;
  /** Values, ascending, at the shares 1/n, 2/n, ..., 1 of the requests, n at most 120. */
  readonly ecdf: Float64Array;
}

const ECDF_POINTS = 120;

/** Quantiles by linear interpolation between order statistics; NaN for no values. */
export function distribution(values: ArrayLike<number>): Distribution {
  const ascending = Float64Array.from(values).sort();
  const count = ascending.length;
  const points = Math.min(count, ECDF_POINTS);
  return {
    mean: count === 0 ? Number.NaN : ascending.reduce((sum, value) => sum + value, 0) / count,
    least: quantileSorted(ascending, 0),
    p10: quantileSorted(ascending, 0.1),
    p50: quantileSorted(ascending, 0.5),
    p90: quantileSorted(ascending, 0.9),
    p99: quantileSorted(ascending, 0.99),
    most: quantileSorted(ascending, 1),
    ecdf: Float64Array.from(
      { length: points },
      (_, i) => ascending[Math.ceil(((i + 1) * count) / points) - 1] as number,
    ),
  };
}
