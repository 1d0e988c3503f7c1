/** Quantile of ascending values by linear interpolation between order statistics (numpy's default). */
export function quantileSorted(ascending: ArrayLike<number>, share: number): number {
  const last = ascending.length - 1;
  if (last < 0) return Number.NaN;
  const position = share * last;
  const below = Math.floor(position);
  const low = ascending[below] as number;
  const high = ascending[Math.min(last, below + 1)] as number;
  return low + (high - low) * (position - below);
}

/** Summary of a sample; NaN entries (what did not happen) are left out, and all-NaN gives NaN figures. */
export interface Summary {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

export function summarize(values: Float64Array): Summary {
  const present = values.filter((value) => !Number.isNaN(value)).sort();
  const count = present.length;
  const sum = present.reduce((a, b) => a + b, 0);
  return {
    mean: count === 0 ? Number.NaN : sum / count,
    p50: quantileSorted(present, 0.5),
    p90: quantileSorted(present, 0.9),
    p99: quantileSorted(present, 0.99),
    max: count === 0 ? Number.NaN : (present[count - 1] as number),
    count,
  };
}

/** Values with weights, ascending and distinct: exact percentiles of samples that repeat. */
export interface Weighted {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

/** Summary of weighted samples: percentiles are the smallest value whose cumulative weight reaches the share. */
export function summarizeWeighted({ values, weights }: Weighted): Summary {
  const total = weights.reduce((a, b) => a + b, 0);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) * (weights[i] as number);
  const at = (share: number): number => {
    let cumulative = 0;
    for (let i = 0; i < values.length; i++) {
      cumulative += weights[i] as number;
      if (cumulative >= share * total) return values[i] as number;
    }
    return Number.NaN;
  };
  return {
    mean: total === 0 ? Number.NaN : sum / total,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: values.length === 0 ? Number.NaN : (values[values.length - 1] as number),
    count: total,
  };
}
