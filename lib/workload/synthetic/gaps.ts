import type { Random } from '../../random/random';
import type { SyntheticGap, SyntheticSource } from '../../spec/kinds/workload-synthetic';
import { drawLogNormal, logNormalByP90 } from '../log-normal';

/** Time between the end of a request and what comes of it. */
export interface Gap {
  readonly seconds: number;
  /** Kind of tool, where fast and slow ones are told apart: 1 for slow. */
  readonly tool: number;
}
export const NO_GAP: Gap = { seconds: 0, tool: 0 };

/** Draws gaps. */
export function gapSampler(gap: SyntheticGap, random: Random): () => Gap {
  const of = (seconds: number): Gap => ({ seconds, tool: 0 });
  switch (gap.shape) {
    case 'exponential':
      return () => of(gap.meanSeconds * random.exponential());
    case 'mixture':
      return () => {
        const isSlow = random.uniform() < gap.slowShare;
        const mean = isSlow ? gap.slowMeanSeconds : gap.fastMeanSeconds;
        return { seconds: mean * random.exponential(), tool: isSlow ? 1 : 0 };
      };
    case 'log-normal': {
      const shape = logNormalByP90(gap.medianSeconds, gap.p90Seconds, 'gap');
      return () => of(drawLogNormal(shape, random));
    }
    case 'pareto':
      return () => of(gap.leastSeconds * (1 - random.uniform()) ** (-1 / gap.tailIndex));
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
