import { type Summary, summarize } from '../stats/percentiles';
import type { Workload } from './types';

export interface WorkloadSummary {
  readonly requests: number;
  readonly spanSeconds: number;
  readonly ratePerSecond: number;
  /** Standard deviation over mean of the gaps between arrivals: 1 for a Poisson process. */
  readonly gapCv: number;
  readonly promptTokens: Summary;
  readonly outputTokens: Summary;
}

/** What a reader wants to know of a workload before serving it. */
export function workloadSummary({
  arrivalSeconds,
  promptTokens,
  outputTokens,
}: Workload): WorkloadSummary {
  const requests = arrivalSeconds.length;
  const spanSeconds =
    requests > 0 ? (arrivalSeconds[requests - 1] as number) - (arrivalSeconds[0] as number) : 0;
  const gaps = arrivalSeconds.slice(1).map((time, i) => time - (arrivalSeconds[i] as number));
  const mean = gaps.length > 0 ? spanSeconds / gaps.length : Number.NaN;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  return {
    requests,
    spanSeconds,
    ratePerSecond: spanSeconds > 0 ? (requests - 1) / spanSeconds : Number.NaN,
    gapCv: mean > 0 ? Math.sqrt(variance) / mean : Number.NaN,
    promptTokens: summarize(Float64Array.from(promptTokens)),
    outputTokens: summarize(Float64Array.from(outputTokens)),
  };
}
