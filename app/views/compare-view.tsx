'use client';

import { useMemo, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import type { CompareParams, TimelineParams } from '../../lib/spec/kinds/views';
import { makeChart } from '../../lib/views/charts/marks';
import { scatterOptions } from '../../lib/views/charts/scatter';
import { differences, pairProblem, type RunPair } from '../../lib/views/compare/compare-runs';
import { COMPARE_MEASURES, MEASURE_LABELS } from '../../lib/views/compare/measures';
import { gainsText } from '../../lib/views/compare/rows';
import type { ViewInput } from '../../lib/views/view-input';
import { CompareSummary, DifferenceTable } from './compare-tables';
import { PlotFigure } from './plot-figure';
import { TimelineView } from './timeline-view';
import styles from './views.module.css';

interface Props {
  readonly params: CompareParams;
  readonly inputs: readonly ViewInput[];
  readonly session: Session;
  readonly onParamsChange: (params: CompareParams) => void;
}

const CDFS = ['ttft-cdf', 'tpot-cdf', 'e2e-cdf'] as const;

/** Two runs of one trace: figures and their ratio, distributions, requests one by one, timelines. */
export function CompareView(props: Props) {
  const { inputs } = props;
  const key = inputs.map(({ id, result }) => `${id} ${result?.provenance.specHash}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the results; the arrays are new on every render
  const pair = useMemo<RunPair | undefined>(() => {
    const [a, b] = inputs;
    if (a?.result?.output.kind !== 'serve' || b?.result?.output.kind !== 'serve') return undefined;
    return { names: [a.id, b.id], runs: [a.result.output.value, b.result.output.value] };
  }, [key]);
  const problem = useMemo(() => pair && pairProblem(pair), [pair]);
  if (pair === undefined) {
    const missing = inputs.filter(({ result }) => result === undefined).map(({ id }) => id);
    return <p className={styles.note}>run {missing.join(', ')} to compare the two</p>;
  }
  if (problem !== undefined) {
    return (
      <p className={styles.note} role="alert">
        {problem}: give both serve cells the same workload cell
      </p>
    );
  }
  return <Compared {...props} pair={pair} />;
}

function Compared({ params, inputs, session, onParamsChange, pair }: Props & { pair: RunPair }) {
  const { measure, order } = params;
  const [isTable, setTable] = useState(false);
  const found = useMemo(() => differences(pair, measure), [pair, measure]);
  const text = gainsText(pair, measure, found);
  const scatter = useMemo(() => scatterOptions(pair, found.rows, measure), [pair, found, measure]);
  const setSpan = ({ startSeconds: _, endSeconds: __, ...rest }: CompareParams) => rest;
  return (
    <>
      <div className={styles.tools}>
        <label>
          measure{' '}
          <select
            value={measure}
            onChange={(event) =>
              onParamsChange({ ...params, measure: event.target.value as CompareParams['measure'] })
            }
          >
            {COMPARE_MEASURES.map((each) => (
              <option key={each} value={each}>
                {MEASURE_LABELS[each]}
              </option>
            ))}
          </select>
        </label>
        <label>
          requests{' '}
          <select
            value={order}
            onChange={(event) =>
              onParamsChange({ ...params, order: event.target.value as CompareParams['order'] })
            }
          >
            <option value="lost">that lost most first</option>
            <option value="gained">that gained most first</option>
            <option value="request">by number</option>
          </select>
        </label>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </div>
      <p className={styles.answer} data-testid="compare-answer">
        {text}.
      </p>
      <CompareSummary pair={pair} />
      {!isTable && (
        <>
          <ul className={styles.legend}>
            {pair.names.map((name, i) => (
              <li key={name}>
                <svg width="28" height="8" aria-hidden="true">
                  <line
                    x1="0"
                    x2="28"
                    y1="4"
                    y2="4"
                    stroke={`var(--series-${i + 1})`}
                    strokeWidth="2"
                    strokeDasharray={i === 0 ? 'none' : '6 3'}
                  />
                </svg>{' '}
                {name}
              </li>
            ))}
          </ul>
          <div className={styles.figures}>
            {CDFS.map((chart) => (
              <Cdf key={chart} chart={chart} inputs={inputs} />
            ))}
            <PlotFigure
              options={scatter.options}
              label={scatter.label}
              caption={`each dot a request; below the line ${pair.names[1]} is faster`}
            />
          </div>
        </>
      )}
      <DifferenceTable pair={pair} rows={found.rows} order={order} measure={measure} />
      <TimelineView
        params={spanOf(params)}
        inputs={inputs}
        session={session}
        onParamsChange={(span: TimelineParams) => onParamsChange({ ...setSpan(params), ...span })}
      />
    </>
  );
}

const spanOf = ({ startSeconds, endSeconds }: CompareParams): TimelineParams => ({
  ...(startSeconds === undefined ? {} : { startSeconds }),
  ...(endSeconds === undefined ? {} : { endSeconds }),
});

function Cdf({ chart, inputs }: { chart: (typeof CDFS)[number]; inputs: readonly ViewInput[] }) {
  const key = inputs.map(({ id, result }) => `${id} ${result?.provenance.specHash}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the inputs' results
  const made = useMemo(() => {
    const found = makeChart({ chart, logX: true }, inputs);
    if (found === undefined) return undefined;
    const options: Parameters<typeof PlotFigure>[0]['options'] = (Plot, width) => ({
      ...found.options(Plot, width, undefined),
      height: 200,
    });
    return { options, description: found.description };
  }, [chart, key]);
  if (made === undefined) return null;
  return (
    <PlotFigure options={made.options} label={made.description} caption={chart.replace('-', ' ')} />
  );
}
