'use client';

import { useEffect, useMemo, useState } from 'react';
import type { SweepResult } from '../../lib/serving/sweep-result';
import { allPoints, maximumText, type SweepMeasure } from '../../lib/views/charts/sweep';
import { formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { SWEEP_HEADERS, sweepCsv, sweepRows } from '../../lib/views/sweep-rows';
import { saveText } from '../state/save';
import { MeasureChoice, SweepChart } from '../views/sweep-chart';
import views from '../views/views.module.css';
import { MetricList } from './metric-list';
import styles from './results.module.css';

interface Props {
  readonly cellId: string;
  readonly result: SweepResult;
  /** More points are on their way. */
  readonly isPartial: boolean;
}

/** A sweep as far as it has come; the chart's code is fetched before the first point is there. */
export function SweepResultView({
  result,
  ...rest
}: Omit<Props, 'result'> & { readonly result: SweepResult | undefined }) {
  useEffect(() => {
    void import('@observablehq/plot');
  }, []);
  return result === undefined ? (
    <p className={styles.note}>not run yet</p>
  ) : (
    <KnownPoints result={result} {...rest} />
  );
}

/** Goodput against rate: what is known, the chart and its table. */
function KnownPoints({ cellId, result, isPartial }: Props) {
  const [measure, setMeasure] = useState<SweepMeasure>('goodput');
  const [isTable, setTable] = useState(false);
  const series = useMemo(() => [{ name: cellId, result }], [cellId, result]);
  const { maximum, slo } = result;
  const best = Math.max(...allPoints(result).map((point) => point.goodputPerSecond.mean));
  return (
    <>
      <MetricList
        metrics={[
          {
            name: 'highest rate that holds',
            value:
              maximum === undefined ? (isPartial ? 'not yet' : 'not searched') : rateOf(maximum),
            note: maximum === undefined ? '' : maximumNote(result),
            tone: maximum === undefined ? 'muted' : maximum.ratePerSecond > 0 ? 'good' : 'bad',
          },
          { name: 'most goodput', value: `${formatCount(best)} req/s` },
          {
            name: 'SLO',
            value: formatPercent(slo.attainment),
            note: `TTFT ${formatSeconds(slo.ttftSeconds)}, TPOT ${formatSeconds(slo.tpotSeconds)}`,
          },
          {
            name: 'simulations',
            value: formatCount(result.runs),
            note: `${result.seeds} seeds a rate, ${formatCount(result.requestsPerRun)} requests each; the load's own rate is ${formatCount(result.ownRatePerSecond)} /s`,
          },
        ]}
      />
      <div className={views.tools}>
        <MeasureChoice measure={measure} onChange={setMeasure} />
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
        <button
          type="button"
          onClick={() => saveText(sweepCsv(allPoints(result)), `${cellId}.csv`, 'text/csv')}
        >
          CSV
        </button>
      </div>
      {isTable ? (
        <SweepTable cellId={cellId} result={result} />
      ) : (
        <SweepChart series={series} measure={measure} />
      )}
      <p className={styles.note}>
        a request that is refused, or not complete by the horizon, violates the SLO. Where the queue
        grows without bound the figures depend on the length of the load.
      </p>
      {result.notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  );
}

function maximumNote(result: SweepResult): string {
  const { ratePerSecond, failsAtPerSecond } = result.maximum ?? {};
  const isBracketed = ratePerSecond !== 0 && failsAtPerSecond !== Infinity;
  return isBracketed ? `fails at ${formatCount(failsAtPerSecond ?? 0)} req/s` : maximumText(result);
}

function rateOf({ ratePerSecond }: { readonly ratePerSecond: number }): string {
  return ratePerSecond > 0 ? `${formatCount(ratePerSecond)} req/s` : 'none';
}

function SweepTable({ cellId, result }: { readonly cellId: string; readonly result: SweepResult }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls in its box, and the keyboard must be able to
    <section className={views.scroll} tabIndex={0} aria-label={`rates of ${cellId}`}>
      <table>
        <caption className="visually-hidden">{`rates of ${cellId}`}</caption>
        <thead>
          <tr>
            {SWEEP_HEADERS.map((header) => (
              <th key={header} scope="col">
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sweepRows(result).map(([rate, ...cells], i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two rates may round to the same text
            <tr key={i}>
              <th scope="row">{rate}</th>
              {cells.map((text, j) => (
                <td key={SWEEP_HEADERS[j + 1]}>{text}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
