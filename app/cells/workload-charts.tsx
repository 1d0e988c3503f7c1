'use client';

import { useEffect, useRef, useState } from 'react';
import { lengthsPlot, rateBins, ratesPlot } from '../../lib/views/charts/workload';
import { formatCount, formatSeconds } from '../../lib/views/format';
import { QUANTILE_COLUMNS, quantileRows } from '../../lib/views/workload-rows';
import type { WorkloadStatistics } from '../../lib/workload/statistics';
import { Region } from '../parts/region';
import { useWidth } from '../views/use-canvas';
import { usePlotLibrary } from '../views/use-plot';
import styles from '../views/views.module.css';

const LEAST_WIDTH = 280;
const SERIES = ['prompt', 'output'] as const;

/** Lengths and rates of a workload: a table of quantiles, and charts or their numbers. */
export function WorkloadCharts({ statistics }: { readonly statistics: WorkloadStatistics }) {
  const Plot = usePlotLibrary();
  const [isTable, setTable] = useState(false);
  const lengths = useRef<HTMLDivElement>(null);
  const rates = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(lengths, 640));
  const hasRates = statistics.arrivals.rates.length > 1;
  const unit = statistics.programs === undefined ? 'requests' : 'programs';
  useEffect(() => {
    if (Plot === undefined || isTable) return;
    const figures = [
      [
        lengths.current,
        lengthsPlot(Plot, statistics, width),
        'share of the requests of at most so many prompt and output tokens',
      ],
      [rates.current, ratesPlot(Plot, statistics, width), `${unit} per second over time`],
    ] as const;
    for (const [element, options, ariaLabel] of figures)
      element?.replaceChildren(Plot.plot({ ...options, ariaLabel }));
    return () => {
      for (const [element] of figures) element?.replaceChildren();
    };
  }, [Plot, statistics, width, isTable, unit]);
  return (
    <Region label="statistics of the workload">
      <QuantileTable statistics={statistics} />
      <div className={styles.tools}>
        <span>lengths of the requests, and {unit} over time</span>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </div>
      <div ref={lengths} className={styles.plot} hidden={isTable} />
      {!isTable && (
        <ul className={styles.legend}>
          {SERIES.map((name, i) => (
            <li key={name}>
              <svg width="12" height="12" aria-hidden="true">
                <rect width="12" height="12" rx="2" fill={`var(--series-${i + 1})`} />
              </svg>{' '}
              {name} tokens
            </li>
          ))}
        </ul>
      )}
      {hasRates && <div ref={rates} className={styles.plot} hidden={isTable} />}
      {isTable && <ChartTables statistics={statistics} unit={unit} />}
    </Region>
  );
}

function QuantileTable({ statistics }: { readonly statistics: WorkloadStatistics }) {
  return (
    <div className={styles.scroll}>
      <table>
        <caption className="visually-hidden">quantiles of the requests</caption>
        <Head names={['tokens', ...QUANTILE_COLUMNS]} />
        <tbody>
          {quantileRows(statistics).map(({ name, values }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values.map((value, i) => (
                <td key={QUANTILE_COLUMNS[i]}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Deciles of the lengths and the bins of the rates. */
function ChartTables({
  statistics,
  unit,
}: {
  readonly statistics: WorkloadStatistics;
  readonly unit: string;
}) {
  const { promptTokens, outputTokens } = statistics;
  const points = promptTokens.ecdf.length;
  const deciles = Array.from({ length: 10 }, (_, i) => (i + 1) / 10);
  const at = (ecdf: Float64Array, share: number) =>
    formatCount(ecdf[Math.ceil(share * points) - 1] as number);
  return (
    <div className={styles.scroll}>
      <table>
        <caption className="visually-hidden">deciles of lengths</caption>
        <Head names={['share of the requests', 'prompt tokens at most', 'output tokens at most']} />
        <tbody>
          {deciles.map((share) => (
            <tr key={share}>
              <th scope="row">{Math.round(share * 100)} %</th>
              <td>{at(promptTokens.ecdf, share)}</td>
              <td>{at(outputTokens.ecdf, share)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table>
        <caption className="visually-hidden">rate over time</caption>
        <Head names={['from', `${unit} /s`]} />
        <tbody>
          {rateBins(statistics).map(({ fromSeconds, ratePerSecond }) => (
            <tr key={fromSeconds}>
              <th scope="row">{formatSeconds(fromSeconds)}</th>
              <td>{formatCount(ratePerSecond)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Head({ names }: { readonly names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
