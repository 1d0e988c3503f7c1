'use client';

import type * as PlotModule from '@observablehq/plot';
import { useCallback } from 'react';
import type {
  RecallCurve,
  RecallGapResult,
  RecallPoint,
} from '../../lib/evaluate/recall-gap-result';
import {
  curveName,
  curveStyle,
  recallChart,
  recallLabel,
  stateChart,
  stateLabel,
} from '../../lib/views/charts/recall-gap';
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { Region } from '../parts/region';
import { PlotFigure } from '../views/plot-figure';
import styles from './recall-gap.module.css';
import { ScrollRegion } from './scroll-region';

interface Props {
  readonly result: RecallGapResult;
  /** The last point of a curve may have fewer contexts than the others. */
  readonly isPartial: boolean;
}

/** What each sibling still recalls of more and more pairs, beside what it keeps of them. */
export function RecallGapResultView({ result, isPartial }: Props) {
  const { params, curves, trainedPairs, trainedTokens, seconds } = result;
  const once = curves.filter(({ reads }) => reads === 1);
  const twice = curves.filter(({ reads }) => reads === 2);
  return (
    <>
      <p className={styles.note}>
        {isPartial && 'up to '}
        {params.samples} contexts per point, {params.questions} questions each (fewer where there
        are fewer pairs), the true answers before a question in sight; models of{' '}
        {formatCount(once[0]?.parameters ?? 0)} numbers in plain TypeScript;{' '}
        {formatSeconds(seconds)}.
      </p>
      <Pictures result={result} curves={once} name="read once" />
      {twice.length > 0 && <Pictures result={result} curves={twice} name="read twice" />}
      <CurveTable
        name="right answers"
        caption={`share of right answers with 95 % intervals that know that questions about one context go together; shaded: more than ${trainedPairs} pairs or a row of more than ${trainedTokens} tokens, which the models were not trained on`}
        curves={curves}
        cell={({ accuracy }) => (
          <>
            {formatPercent(accuracy.share)}{' '}
            <small>
              {formatCount(100 * accuracy.low)} to {formatPercent(accuracy.high)}
            </small>
          </>
        )}
      />
      <CurveTable
        name="bytes kept"
        caption="bytes kept between tokens when the questions begin, f32, all layers"
        curves={curves}
        cell={({ stateBytes }) => formatBytes(stateBytes)}
      />
      {twice.length > 0 && <Gains curves={twice} />}
    </>
  );
}

function Pictures(props: {
  readonly result: RecallGapResult;
  readonly curves: readonly RecallCurve[];
  readonly name: string;
}) {
  const { result, name } = props;
  const reads = props.curves[0]?.reads;
  const curves = props.curves;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the curves are those of the result with this number of reads
  const recall = useCallback(
    (Plot: typeof PlotModule, width: number) => recallChart(Plot, result, curves, width),
    [result, reads],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const state = useCallback(
    (Plot: typeof PlotModule, width: number) => stateChart(Plot, result, curves, width),
    [result, reads],
  );
  const isLong = curves[0]?.points.some(({ isExtrapolated }) => isExtrapolated) === true;
  return (
    <Region label={`recall, ${name}`}>
      <ul className={styles.legend}>
        {curves.map((curve) => (
          <li key={curve.model}>
            <svg width="28" height="8" aria-hidden="true">
              <line x1="0" x2="28" y1="4" y2="4" strokeWidth="2" {...curveStyle(curve.model)} />
            </svg>{' '}
            {curveName(curve)}
          </li>
        ))}
      </ul>
      <div className={styles.pair}>
        <PlotFigure
          options={recall}
          label={recallLabel(curves)}
          caption={`${name}: bars are 95 % intervals, the dotted line is a guess among the values that stand there${isLong ? `; right of the line at ${curves[0]?.trainedPairs} pairs is extrapolation` : ''}`}
        />
        <PlotFigure
          options={state}
          label={stateLabel(curves)}
          caption="what a model keeps: a cache grows with the context, a state does not"
        />
      </div>
    </Region>
  );
}

function CurveTable(props: {
  readonly name: string;
  readonly caption: string;
  readonly curves: readonly RecallCurve[];
  readonly cell: (point: RecallPoint) => React.ReactNode;
}) {
  const { name, caption, curves, cell } = props;
  const pairs = curves[0]?.points.map((point) => point.pairs) ?? [];
  return (
    <>
      <p className={styles.note}>{caption}</p>
      <ScrollRegion className={styles.scroll} label={name}>
        <table>
          <caption className="visually-hidden">{`${name} by pairs`}</caption>
          <thead>
            <tr>
              <th scope="col">pairs</th>
              {pairs.map((count) => (
                <th key={count} scope="col">
                  {count}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {curves.map((curve) => (
              <tr key={curveName(curve)}>
                <th scope="row">{curveName(curve)}</th>
                {curve.points.map((point) => (
                  <td key={point.pairs} data-extrapolated={point.isExtrapolated || undefined}>
                    {cell(point)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </>
  );
}

/** What reading twice changed, in words and as a table: gains that the samples cannot tell from none are not called gains. */
function Gains({ curves }: { readonly curves: readonly RecallCurve[] }) {
  return (
    <>
      <h3>What reading twice changes</h3>
      <ul className={styles.details}>
        {curves.map((curve) => (
          <li key={curve.model}>{gainText(curve)}</li>
        ))}
      </ul>
      <p className={styles.note}>
        JRT (Arora et al., 2024) claims +11 points on average over 16 language models and 6 tasks.
        These models are small, were trained on contexts that stand there once, and see rows longer
        than in training when they read twice.
      </p>
      <CurveTable
        name="change by reading twice"
        caption="read twice minus read once on the same contexts, in points, with 95 % intervals over contexts, each for its point alone"
        curves={curves}
        cell={({ gain }) =>
          gain === undefined ? (
            ''
          ) : (
            <>
              {points(gain.mean)}{' '}
              <small>
                {points(gain.low)} to {points(gain.high)}
              </small>
            </>
          )
        }
      />
    </>
  );
}

function points(share: number): string {
  const value = Number((100 * share).toFixed(1));
  return value > 0 ? `+${value}` : `${value}`;
}

function gainText({ model, points: all }: RecallCurve): string {
  const told = (isUp: boolean) =>
    all
      .filter(({ gain }) => gain !== undefined && (isUp ? gain.low > 0 : gain.high < 0))
      .map(({ pairs }) => pairs);
  const up = told(true);
  const down = told(false);
  if (up.length === 0 && down.length === 0) {
    return `${model}: no change that these contexts can tell from none`;
  }
  return `${model}: ${[
    ...(up.length > 0 ? [`more right answers at ${up.join(', ')} pairs`] : []),
    ...(down.length > 0 ? [`fewer at ${down.join(', ')} pairs`] : []),
  ].join('; ')}`;
}
