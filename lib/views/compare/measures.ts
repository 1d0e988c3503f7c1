import { tpotSeconds } from '../../serving/metrics';
import type { RequestColumns } from '../../serving/types';
import { COMPARE_MEASURES, type CompareParams } from '../../spec/kinds/views';

export type CompareMeasure = CompareParams['measure'];
export { COMPARE_MEASURES };

export const MEASURE_LABELS: Readonly<Record<CompareMeasure, string>> = {
  ttft: 'time to first token',
  tpot: 'time per output token',
  e2e: 'end to end',
  stall: 'longest stall',
};

/** One request's figure in one run, in seconds; NaN where it never came to it. */
export function measureOf(requests: RequestColumns, measure: CompareMeasure, i: number): number {
  const arrival = requests.arrivalSeconds[i] as number;
  const first = requests.firstTokenSeconds[i] as number;
  const end = requests.completedSeconds[i] as number;
  switch (measure) {
    case 'ttft':
      return first - arrival;
    case 'e2e':
      return end - arrival;
    case 'tpot':
      return tpotSeconds(first, end, requests.outputTokens[i] as number);
    case 'stall':
      return Number.isNaN(end) ? Number.NaN : (requests.maxStallSeconds[i] as number);
  }
}
