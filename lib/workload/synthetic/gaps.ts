import type { Random } from '../../random/random';
import type { SyntheticGap, SyntheticSource } from '../../spec/kinds/workload-synthetic';
import { drawLogNormal, logNormalByP90 } from '../log-normal';

/** Draws the seconds between the end of a request and what comes of it. */
export function gapSampler(gap: SyntheticGap, random: Random): () => number {
  switch (gap.shape) {
    case 'exponential':
      return () => gap.meanSeconds * random.exponential();
    case 'mixture':
      return () => {
        const isSlow = random.uniform() < gap.slowShare;
        return (isSlow ? gap.slowMeanSeconds : gap.fastMeanSeconds) * random.exponential();
      };
    case 'log-normal': {
      const shape = logNormalByP90(gap.medianSeconds, gap.p90Seconds, 'gap');
      return () => drawLogNormal(shape, random);
    }
    case 'pareto':
      return () => gap.leastSeconds * (1 - random.uniform()) ** (-1 / gap.tailIndex);
  }
}

/** Draws the seconds between the starts of programs. */
export function startGapSampler(
  { arrivals, ratePerSecond }: SyntheticSource,
  random: Random,
): () => number {
  const mean = 1 / ratePerSecond;
  switch (arrivals.process) {
    case 'poisson':
      return () => mean * random.exponential();
    case 'gamma': {
      const shape = 1 / arrivals.gapCv ** 2;
      return () => (mean * random.gamma(shape)) / shape;
    }
    case 'uniform':
      return () => mean;
  }
}
