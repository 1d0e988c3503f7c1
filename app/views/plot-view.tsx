'use client';

import { brushX } from 'd3-brush';
import { select } from 'd3-selection';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { PlotParams } from '../../lib/spec/kinds/views';
import { type ChartRow, chartsOf, makeChart } from '../../lib/views/charts/marks';
import type { ViewInput } from '../../lib/views/view-input';
import { saveText } from '../state/save';
import { useWidth } from './use-canvas';
import { usePlotLibrary } from './use-plot';
import styles from './views.module.css';

interface Props {
  readonly params: PlotParams;
  readonly inputs: readonly ViewInput[];
  readonly onParamsChange: (params: PlotParams) => void;
}

const LEAST_WIDTH = 280;

type Domain = readonly [number, number];

/** A chart by Observable Plot; drag over it to zoom the x axis, double-click or Escape to go back. */
export function PlotView({ params, inputs, onParamsChange }: Props) {
  const Plot = usePlotLibrary();
  const [domain, setDomain] = useState<Domain>();
  const [isTable, setTable] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const width = Math.max(LEAST_WIDTH, useWidth(box, 640));
  const key = `${params.chart} ${params.logX} ${inputs.map(({ id, result }) => `${id} ${result?.provenance.specHash}`).join()}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the inputs' results; the arrays themselves are new on every render
  const chart = useMemo(() => makeChart(params, inputs), [key]);

  useEffect(() => {
    const element = box.current;
    if (element === null || Plot === undefined || chart === undefined || isTable) return;
    const figure = Plot.plot({
      ...chart.options(Plot, width, domain),
      ariaLabel: chart.description,
    });
    const scale = figure.scale('x');
    const svg = select(figure as unknown as SVGSVGElement);
    if (scale?.invert !== undefined && chart.isFixed !== true) {
      const { invert } = scale;
      const brush = brushX<unknown>()
        .extent([
          [52, 20],
          [width - 20, 230],
        ])
        .on('end', ({ selection }: { selection: [number, number] | null }) => {
          if (selection !== null)
            setDomain([Number(invert(selection[0])), Number(invert(selection[1]))]);
        });
      svg.append('g').call(brush);
      svg.on('dblclick', () => setDomain(undefined));
    }
    element.replaceChildren(figure);
    return () => element.replaceChildren();
  }, [Plot, chart, width, domain, isTable]);

  const zoom = (factor: number) => {
    const seconds =
      chart?.rows.map((row) => Number(row.seconds ?? row.arrivalSeconds)).filter((x) => x > 0) ??
      [];
    const [low, high] = domain ?? [Math.min(...seconds), Math.max(...seconds)];
    const middle = Math.sqrt(low * high);
    const ratio = (high / low) ** (factor / 2);
    setDomain([middle / ratio, middle * ratio]);
  };
  return (
    <>
      <div className={styles.tools}>
        <label>
          chart{' '}
          <select
            value={chart?.name ?? params.chart}
            onChange={(event) =>
              onParamsChange({ ...params, chart: event.target.value as PlotParams['chart'] })
            }
          >
            {[...new Set([...chartsOf(inputs), chart?.name ?? params.chart])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        {chart?.isFixed !== true && (
          <label>
            <input
              type="checkbox"
              checked={params.logX}
              onChange={(event) => onParamsChange({ ...params, logX: event.target.checked })}
            />{' '}
            log x
          </label>
        )}
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
        {domain !== undefined && (
          <button type="button" onClick={() => setDomain(undefined)}>
            Whole
          </button>
        )}
        <button
          type="button"
          disabled={chart === undefined}
          onClick={() =>
            saveText(csvOf(chart?.rows ?? []), `${chart?.name ?? params.chart}.csv`, 'text/csv')
          }
        >
          CSV
        </button>
      </div>
      {chart === undefined && <p className={styles.note}>{whyNoChart(params, inputs)}</p>}
      {/* biome-ignore lint/a11y/useSemanticElements: the group is the chart's keyboard target, not a form's fieldset */}
      <div
        ref={box}
        className={styles.plot}
        hidden={isTable || chart === undefined}
        role="group"
        aria-label={chart?.description}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: + - and 0 zoom the chart from the keyboard
        tabIndex={0}
        onKeyDown={(event) => {
          if (event.key === '+' || event.key === '=') zoom(0.6);
          else if (event.key === '-') zoom(1.6);
          else if (event.key === '0' || event.key === 'Escape') setDomain(undefined);
        }}
      />
      {!isTable && chart?.legend !== undefined && (
        <Legend names={chart.legend} isFilled={chart.isFilled ?? false} />
      )}
      {isTable && chart !== undefined && <RowsTable rows={chart.rows} />}
    </>
  );
}

function Legend({
  names,
  isFilled,
}: {
  readonly names: readonly string[];
  readonly isFilled: boolean;
}) {
  const dashes = ['', '6 3', '2 3', '8 3 2 3', '1 4', '10 4', '4 2', '3 6'];
  return (
    <ul className={styles.legend}>
      {names.map((name, i) => (
        <li key={name}>
          <svg width="28" height="8" aria-hidden="true">
            <line
              x1="0"
              x2="28"
              y1="4"
              y2="4"
              stroke={`var(--series-${(i % 8) + 1})`}
              strokeWidth={isFilled ? 8 : 2}
              strokeDasharray={isFilled ? '' : dashes[i % 8]}
            />
          </svg>{' '}
          {name}
        </li>
      ))}
    </ul>
  );
}

/** What a plot waits for, or that its inputs have nothing for its chart. */
function whyNoChart({ chart }: PlotParams, inputs: readonly ViewInput[]): string {
  const waiting = inputs.filter(({ result }) => result === undefined).map(({ id }) => id);
  return waiting.length > 0
    ? `run ${waiting.join(', ')} to see the chart`
    : `the results have nothing for chart ${chart}: choose another one`;
}

const SHOWN_ROWS = 100;

function RowsTable({ rows }: { readonly rows: readonly ChartRow[] }) {
  const names = Object.keys(rows[0] ?? {});
  const stride = Math.max(1, Math.ceil(rows.length / SHOWN_ROWS));
  const shown = rows.filter((_, i) => i % stride === 0);
  return (
    <div className={styles.scroll}>
      <table>
        <caption className="visually-hidden">points of the plot</caption>
        <thead>
          <tr>
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={names.map((name) => row[name]).join()}>
              {names.map((name) => (
                <td key={name}>
                  {typeof row[name] === 'number' ? Number(row[name].toPrecision(5)) : row[name]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {stride > 1 && (
        <p className={styles.note}>
          every {stride}th of {rows.length} rows; the CSV has all
        </p>
      )}
    </div>
  );
}

function csvOf(rows: readonly ChartRow[]): string {
  const names = Object.keys(rows[0] ?? {});
  return `${[names.join(','), ...rows.map((row) => names.map((name) => row[name]).join(','))].join('\r\n')}\r\n`;
}
