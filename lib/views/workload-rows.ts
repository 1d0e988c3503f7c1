import type { Distribution } from '../workload/distribution';
import type { WorkloadStatistics } from '../workload/statistics';
import { formatCount, formatPercent, formatSeconds } from './format';

/** A row of quantiles: a name, then mean, least, p10, p50, p90, p99, most. */
export interface QuantileRow {
  readonly name: string;
  readonly values: readonly string[];
}

export const QUANTILE_COLUMNS = ['mean', 'least', 'p10', 'p50', 'p90', 'p99', 'most'] as const;

/** Distributions of a workload, a row each. */
export function quantileRows(statistics: WorkloadStatistics): readonly QuantileRow[] {
  const { promptTokens, outputTokens, programs } = statistics;
  const hasGaps = programs !== undefined && !Number.isNaN(programs.gapSeconds.mean);
  return [
    row('prompt tokens', promptTokens, formatCount),
    row('output tokens', outputTokens, formatCount),
    ...(programs === undefined
      ? []
      : [
          row('requests per program', programs.requestsPerProgram, formatCount),
          row('requests one after the other', programs.depth, formatCount),
        ]),
    ...(hasGaps ? [row('gap before the next request', programs.gapSeconds, formatSeconds)] : []),
  ];
}

function row(name: string, each: Distribution, format: (value: number) => string): QuantileRow {
  return { name, values: QUANTILE_COLUMNS.map((column) => format(each[column])) };
}

/** Single figures of a workload, with what they mean. */
export interface WorkloadFigure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

/** @param requests how many the workload has */
export function workloadFigures(
  { arrivals, sharing, programs }: WorkloadStatistics,
  requests: number,
): readonly WorkloadFigure[] {
  const { dispersion } = arrivals;
  const one = programs === undefined ? 'requests' : 'programs';
  return [
    ...(programs === undefined
      ? []
      : [
          {
            name: 'programs',
            value: formatCount(programs.count),
            note: `mean ${formatCount(programs.requestsPerProgram.mean)} requests each`,
          },
        ]),
    {
      name: `rate of ${one}`,
      value: `${formatCount(arrivals.ratePerSecond)} /s`,
      note: Number.isNaN(arrivals.gapCv)
        ? 'too few to tell'
        : `gap CV ${arrivals.gapCv.toFixed(2)} (1: Poisson)`,
    },
    ...(dispersion.length === 0
      ? []
      : [
          {
            name: 'dispersion of counts',
            value: dispersion.map(({ index }) => index.toPrecision(3)).join(' / '),
            note: `variance over mean in windows of ${dispersion.map(({ windowSeconds }) => formatSeconds(windowSeconds)).join(' / ')} (1: Poisson)`,
          },
        ]),
    ...(sharing === undefined
      ? []
      : [
          {
            name: 'prompt tokens seen before',
            value: formatPercent(sharing.seenShare),
            note: `as part of a prefix, compared by ${sharing.seenGrainTokens === 1 ? 'token' : `blocks of ${sharing.seenGrainTokens}`}`,
          },
          {
            name: 'hit rate without a limit',
            value: formatPercent(sharing.unlimitedHitRate),
            note: `blocks of ${sharing.blockTokens}, ${formatCount(sharing.distinctBlocks)} distinct; ${formatPercent(sharing.requestsWithHits)} of the ${sharing.comparedRequests < requests ? `first ${formatCount(sharing.comparedRequests)} ` : ''}requests hit`,
          },
        ]),
  ];
}
