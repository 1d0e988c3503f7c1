'use client';

import type * as PlotModule from '@observablehq/plot';
import { useCallback } from 'react';
import type { CheckCellResult } from '../../lib/serving/checks/run-check';
import {
  type CheckFigure,
  type CheckSeries,
  isCertain,
  isWithin,
} from '../../lib/serving/checks/types';
import {
  bandText,
  checkChart,
  checkLineStyle,
  checkSeriesLabel,
  EVIDENCE_TEXT,
  figureText,
  foundText,
  verdictText,
} from '../../lib/views/charts/check';
import { formatCount, formatSeconds } from '../../lib/views/format';
import { Region } from '../parts/region';
import { PlotFigure } from '../views/plot-figure';
import styles from './check-result.module.css';
import results from './results.module.css';
import { ScrollRegion } from './scroll-region';

/** What a check found: its rule, its figures beside their bands, and its curves. */
export function CheckResultView({
  result,
  isRuleAbove = false,
}: {
  readonly result: CheckCellResult;
  /** The cell's editor says the rule, whether or not the check has run. */
  readonly isRuleAbove?: boolean;
}) {
  const { title, rule, evidence, figures, series, notes, seconds } = result;
  const banded = figures.filter((figure) => isWithin(figure) !== undefined);
  const inside = banded.filter((figure) => isWithin(figure) === true).length;
  const open = banded.filter((figure) => isCertain(figure) === false).length;
  return (
    <>
      {!isRuleAbove && (
        <p className={styles.rule}>
          <strong>{title}.</strong> {rule} <small>({EVIDENCE_TEXT[evidence]})</small>
        </p>
      )}
      <p className={results.note}>
        {formatCount(inside)} of {formatCount(banded.length)} figures with a band lie in it;{' '}
        {open > 0 && `${formatCount(open)} by less than the interval of 95 %; `}
        {formatSeconds(seconds)}.
      </p>
      <ScrollRegion className={results.scroll} label={`figures of ${title}`}>
        <table className={styles.figures}>
          <caption className="visually-hidden">figures and bands</caption>
          <thead>
            <tr>
              <th scope="col">figure</th>
              <th scope="col">found</th>
              <th scope="col">expected</th>
              <th scope="col">band from</th>
            </tr>
          </thead>
          <tbody>
            {figures.map((figure) => (
              <FigureRow key={figure.label} figure={figure} />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <div className={styles.pictures}>
        {series.map((each) => (
          <Picture key={each.title} series={each} />
        ))}
      </div>
      {notes.map((note) => (
        <p key={note} className={results.note}>
          {note}
        </p>
      ))}
    </>
  );
}

function FigureRow({ figure }: { readonly figure: CheckFigure }) {
  const within = isWithin(figure);
  return (
    <tr>
      <th scope="row">{figure.label}</th>
      <td>{foundText(figure)}</td>
      <td>
        {bandText(figure)}{' '}
        {within !== undefined && (
          <span className={within ? styles.inside : styles.outside}>{verdictText(figure)}</span>
        )}
      </td>
      <td>{figure.source ?? ''}</td>
    </tr>
  );
}

function Picture({ series }: { readonly series: CheckSeries }) {
  const options = useCallback(
    (Plot: typeof PlotModule, width: number) => checkChart(Plot, series, width),
    [series],
  );
  return (
    <Region label={series.title}>
      <ul className={styles.legend}>
        {series.lines.map(({ name }, at) => (
          <li key={name}>
            <svg width="28" height="8" aria-hidden="true">
              <line x1="0" x2="28" y1="4" y2="4" strokeWidth="2" {...checkLineStyle(at)} />
            </svg>{' '}
            {name}
          </li>
        ))}
      </ul>
      <PlotFigure options={options} label={checkSeriesLabel(series)} caption={series.title} />
      <details className={results.details}>
        <summary>table</summary>
        <ScrollRegion className={results.scroll} label={`table: ${series.title}`}>
          <table>
            <caption className="visually-hidden">figures by line</caption>
            <thead>
              <tr>
                <th scope="col">line</th>
                <th scope="col">{series.xLabel}</th>
                <th scope="col">{series.yLabel}</th>
              </tr>
            </thead>
            <tbody>
              {series.lines.flatMap(({ name, x, y }) =>
                x.map((value, i) => (
                  <tr key={`${name} ${value}`}>
                    <th scope="row">{name}</th>
                    <td>{formatCount(value)}</td>
                    <td>{figureText(y[i] as number, '')}</td>
                  </tr>
                )),
              )}
            </tbody>
          </table>
        </ScrollRegion>
      </details>
    </Region>
  );
}
