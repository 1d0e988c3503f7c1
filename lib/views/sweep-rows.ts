import type { Spread, SweepPoint } from '../serving/sweep-point';
import type { SweepResult } from '../serving/sweep-result';
import { allPoints } from './charts/sweep';
import { formatCount, formatPercent, formatSeconds } from './format';

export const SWEEP_HEADERS = [
  'rate (/s)',
  'goodput (/s)',
  'SLO attainment',
  'TTFT p90',
  'TPOT p90',
  'starved',
  'seeds',
  'SLO',
] as const;

/** `mean (least to most)`, or one figure where they are the same. */
function spreadText({ mean, least, most }: Spread, format: (value: number) => string): string {
  return least === most ? format(mean) : `${format(mean)} (${format(least)} to ${format(most)})`;
}

function verdict({ holds, unstableSeeds, seeds }: SweepPoint): string {
  if (unstableSeeds > 0) return `unstable in ${unstableSeeds} of ${seeds} seeds`;
  return holds ? 'holds' : 'misses';
}

/** The table of a sweep: a row per rate, cells as `SWEEP_HEADERS` names them. */
export function sweepRows(result: SweepResult): readonly (readonly string[])[] {
  return allPoints(result).map((point) => [
    formatCount(point.ratePerSecond),
    spreadText(point.goodputPerSecond, formatCount),
    spreadText(point.sloAttainment, formatPercent),
    spreadText(point.ttftP90Seconds, formatSeconds),
    spreadText(point.tpotP90Seconds, formatSeconds),
    String(point.starvedRequests),
    String(point.seeds),
    verdict(point),
  ]);
}

const SPREADS = [
  ['goodput_per_s', 'goodputPerSecond'],
  ['slo_attainment', 'sloAttainment'],
  ['ttft_p90_s', 'ttftP90Seconds'],
  ['tpot_p90_s', 'tpotP90Seconds'],
] as const;

/** Points as CSV: per rate the mean, least and most over the seeds. */
export function sweepCsv(points: readonly SweepPoint[]): string {
  const header = [
    'rate_per_s',
    ...SPREADS.flatMap(([name]) => [name, `${name}_least`, `${name}_most`]),
    'unstable_seeds',
    'holds',
  ];
  const rows = points.map((point) =>
    [
      point.ratePerSecond,
      ...SPREADS.flatMap(([, key]) => [point[key].mean, point[key].least, point[key].most]),
      point.unstableSeeds,
      point.holds ? 'yes' : 'no',
    ].join(','),
  );
  return `${[header.join(','), ...rows].join('\n')}\n`;
}
