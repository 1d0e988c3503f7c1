import type { ServeResult } from '../../serving/types';
import { serveColumns } from '../serve-rows';
import type { Differences, RunPair } from './compare-runs';
import { type CompareMeasure, MEASURE_LABELS } from './measures';

/** One figure of both runs. */
export interface SummaryRow {
  readonly name: string;
  readonly first: string;
  readonly second: string;
  /** Second over first; NaN where the first is 0. */
  readonly ratio: number;
  /** The same where the figures read the same. */
  readonly verdict: 'better' | 'worse' | 'same' | undefined;
}

/** The runs' metrics at the 90th percentile, and how the second stands to the first. */
export function summaryRows({ runs }: RunPair): readonly SummaryRow[] {
  const [a, b] = runs as readonly [ServeResult, ServeResult];
  return serveColumns('p90').map(({ header, value, print, better }) => {
    const [first, second] = [value(a), value(b)];
    const isLower = second < first;
    const verdict =
      better === undefined
        ? undefined
        : print(first) === print(second)
          ? 'same'
          : isLower === (better === 'low')
            ? 'better'
            : 'worse';
    return {
      name: header,
      first: print(first),
      second: print(second),
      ratio: first === 0 ? Number.NaN : second / first,
      verdict,
    };
  });
}

/** Who gained and who lost, in one sentence. */
export function gainsText(
  { names }: Pick<RunPair, 'names'>,
  measure: CompareMeasure,
  { gained, lost, equal, onlyFirst, onlySecond, medianRatio }: Differences,
): string {
  const only =
    onlyFirst + onlySecond === 0
      ? ''
      : `; ${onlyFirst} have the figure in ${names[0]} alone, ${onlySecond} in ${names[1]} alone`;
  return `${MEASURE_LABELS[measure]}, ${names[1]} against ${names[0]}: ${gained} requests gain, ${lost} lose, ${equal} stay the same; the median request takes ${Number.isNaN(medianRatio) ? 'no' : medianRatio.toPrecision(3)} times as long${only}`;
}

/** Every request of both runs as CSV, seconds unrounded. */
export function differencesCsv({ names }: RunPair, rows: Differences['rows']): string {
  const lines = rows.map(({ id, first, second, change }) => `${id},${first},${second},${change}`);
  return `${[`request,${names[0]}_s,${names[1]}_s,change_s`, ...lines].join('\r\n')}\r\n`;
}
