/** How arrivals vary over time. */
export interface Burstiness {
  readonly count: number;
  readonly spanSeconds: number;
  readonly ratePerSecond: number;
  /** Standard deviation over mean of the gaps: 1 for a Poisson process. */
  readonly gapCv: number;
  /** Variance over mean of the counts in windows: 1 for a Poisson process at every length of them. */
  readonly dispersion: readonly { readonly windowSeconds: number; readonly index: number }[];
  /** Arrivals per second in bins of equal length. */
  readonly rates: Float64Array;
  readonly binSeconds: number;
}

const WINDOWS = [1, 10, 60, 600, 3600];
/** Fewer windows would say little of their variance. */
const LEAST_WINDOWS = 10;
const MOST_BINS = 60;

/** @param arrivalSeconds ascending */
export function burstiness(arrivalSeconds: Float64Array): Burstiness {
  const count = arrivalSeconds.length;
  const first = arrivalSeconds[0] ?? 0;
  const spanSeconds = count > 0 ? (arrivalSeconds[count - 1] as number) - first : 0;
  const mean = spanSeconds / (count - 1);
  let squares = 0;
  for (let i = 1; i < count; i++)
    squares += ((arrivalSeconds[i] as number) - (arrivalSeconds[i - 1] as number) - mean) ** 2;
  const bins = spanSeconds > 0 ? Math.max(1, Math.min(MOST_BINS, Math.floor(count / 5))) : 0;
  const binSeconds = bins === 0 ? 0 : spanSeconds / bins;
  const rates = new Float64Array(bins);
  if (bins > 0)
    for (const time of arrivalSeconds) {
      const bin = Math.min(bins - 1, Math.floor((time - first) / binSeconds));
      rates[bin] = (rates[bin] as number) + 1 / binSeconds;
    }
  return {
    count,
    spanSeconds,
    ratePerSecond: spanSeconds > 0 ? 1 / mean : Number.NaN,
    gapCv: spanSeconds > 0 ? Math.sqrt(squares / (count - 1)) / mean : Number.NaN,
    dispersion: WINDOWS.flatMap((windowSeconds) => {
      const windows = Math.floor(spanSeconds / windowSeconds);
      return windows < LEAST_WINDOWS
        ? []
        : [{ windowSeconds, index: dispersionIndex(arrivalSeconds, windowSeconds, windows) }];
    }),
    rates,
    binSeconds,
  };
}

/** Variance over mean of the counts in the whole windows from the first arrival on. */
export function dispersionIndex(
  arrivalSeconds: Float64Array,
  windowSeconds: number,
  windows: number,
): number {
  const counts = new Float64Array(windows);
  const first = arrivalSeconds[0] ?? 0;
  for (const time of arrivalSeconds) {
    const window = Math.floor((time - first) / windowSeconds);
    if (window < windows) counts[window] = (counts[window] as number) + 1;
  }
  const mean = counts.reduce((sum, each) => sum + each, 0) / windows;
  const variance = counts.reduce((sum, each) => sum + (each - mean) ** 2, 0) / windows;
  return variance / mean;
}
