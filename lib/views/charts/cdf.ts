import { tpotSeconds } from '../../serving/metrics';
import type { ServeResult, WeightedSamples } from '../../serving/types';

export interface CdfPoint {
  readonly series: string;
  readonly seconds: number;
  readonly share: number;
}

const POINTS = 300;

export type Distribution = 'ttft' | 'tpot' | 'tbt' | 'e2e';

/** Samples of one distribution of a run; what never happened is left out and so the curve ends below 1. */
export function samplesOf(
  result: ServeResult,
  distribution: Distribution,
): WeightedSamples & { readonly total: number } {
  if (distribution === 'tbt') {
    return { ...result.tbt, total: result.tbt.weights.reduce((a, b) => a + b, 0) };
  }
  const { requests } = result;
  const values = requests.arrivalSeconds.map((arrival, i) => {
    const first = requests.firstTokenSeconds[i] as number;
    const end = requests.completedSeconds[i] as number;
    if (distribution === 'ttft') return first - arrival;
    return distribution === 'e2e'
      ? end - arrival
      : tpotSeconds(first, end, requests.outputTokens[i] as number);
  });
  const present = values.filter((value) => !Number.isNaN(value)).sort();
  const total = distribution === 'tpot' ? present.length : values.length;
  return { values: present, weights: new Float64Array(present.length).fill(1), total };
}

/** Cumulative distribution, thinned to at most 300 points that keep both tails. */
export function cdfPoints(
  series: string,
  samples: WeightedSamples & { readonly total: number },
): readonly CdfPoint[] {
  const points: CdfPoint[] = [];
  let cumulative = 0;
  let nextShare = 0;
  for (let i = 0; i < samples.values.length; i++) {
    cumulative += samples.weights[i] as number;
    const share = cumulative / samples.total;
    const isLast = i === samples.values.length - 1;
    // Steps shrink towards 1, where the tail latencies are.
    if (share >= nextShare || isLast) {
      points.push({ series, seconds: samples.values[i] as number, share });
      nextShare = share + Math.max(1e-4, Math.min(1 / POINTS, (1 - share) / 10));
    }
  }
  return points;
}

export interface OverTimePoint {
  readonly series: string;
  readonly arrivalSeconds: number;
  readonly seconds: number;
}

/** Mean TTFT by arrival time, in at most 100 bins. */
export function ttftOverTime(series: string, { requests }: ServeResult): readonly OverTimePoint[] {
  const { arrivalSeconds, firstTokenSeconds } = requests;
  // Requests of programs are not sent in their order, and some never.
  const span = arrivalSeconds.reduce((most, each) => (each > most ? each : most), 1e-9);
  const bins = Math.max(1, Math.min(100, Math.floor(arrivalSeconds.length / 5)));
  const sums = new Float64Array(bins);
  const counts = new Float64Array(bins);
  arrivalSeconds.forEach((arrival, i) => {
    const ttft = (firstTokenSeconds[i] as number) - arrival;
    if (Number.isNaN(ttft)) return;
    const bin = Math.min(bins - 1, Math.floor((arrival / span) * bins));
    sums[bin] = (sums[bin] as number) + ttft;
    counts[bin] = (counts[bin] as number) + 1;
  });
  return [...sums].flatMap((sum, bin) =>
    counts[bin] === 0
      ? []
      : [
          {
            series,
            arrivalSeconds: ((bin + 0.5) / bins) * span,
            seconds: sum / (counts[bin] as number),
          },
        ],
  );
}
