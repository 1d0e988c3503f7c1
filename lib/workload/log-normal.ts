import type { Random } from '../random/random';

/** The standard normal's 90th percentile. */
const Z90 = 1.2815515655446004;

/** A log-normal: the exponential of a normal with this mean and standard deviation. */
export interface LogNormal {
  readonly mu: number;
  readonly sigma: number;
}

/**
 * The log-normal with this median and 90th percentile.
 * @throws RangeError where the percentile is below the median
 */
export function logNormalByP90(median: number, p90: number, name: string): LogNormal {
  if (p90 < median)
    throw new RangeError(`invalid ${name}P90: ${p90} (expected the median ${median} or above)`);
  return { mu: Math.log(median), sigma: Math.log(p90 / median) / Z90 };
}

/** The log-normal whose own mean, not that of its logarithm, is `mean`. */
export function logNormalByMean(mean: number, sigma: number): LogNormal {
  return { mu: Math.log(mean) - (sigma * sigma) / 2, sigma };
}

export function drawLogNormal({ mu, sigma }: LogNormal, random: Random): number {
  return Math.exp(mu + sigma * random.normal());
}
