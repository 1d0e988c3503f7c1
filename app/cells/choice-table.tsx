'use client';

import { useId } from 'react';
import type { AlternativeFigures, HeadChoice } from '../../lib/attention/select/types';
import type { ChoiceSelection } from '../../lib/spec/kinds/selection';
import type { ChoiceCriterion } from '../../lib/spec/kinds/selection-choice';
import { formatCount, formatPercent } from '../../lib/views/format';
import styles from './choice-table.module.css';
import results from './results.module.css';
import { ScrollRegion } from './scroll-region';
import { alternativeName } from './selection-notes';

interface Props {
  readonly select: ChoiceSelection;
  /** [batch, heads]; those of batch entry 0 are shown. */
  readonly choices: readonly HeadChoice[];
  readonly heads: number;
}

/** Which alternative each head took, and by what. */
export function ChoiceTable({ select: { criterion, alternatives }, choices, heads }: Props) {
  const shown = choices.slice(0, heads);
  const names = alternatives.map((each, i) => `${i + 1} ${alternativeName(each)}`);
  const counts = names.map((name, i) => {
    const count = shown.filter(({ taken }) => taken === i).length;
    return `${name}: ${count}`;
  });
  const columns = criterion.type === 'divergence' ? ['distance', 'taken'] : names;
  const id = useId();
  return (
    <>
      {/* No caption, which would be as wide as the table and leave a narrow page with it. */}
      <p id={id} className={results.note}>
        {captionOf(criterion)}; heads of each: {counts.join(', ')}
      </p>
      <ScrollRegion label="choice per head" className={results.scroll}>
        <table className={styles.table} aria-label="choice per head" aria-describedby={id}>
          <thead>
            <tr>
              {['head', ...columns].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((choice, head) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: heads are their places
              <tr key={head}>
                <th scope="row">{head}</th>
                {choice.by === 'divergence' ? (
                  <>
                    <td>{choice.distance.toFixed(3)}</td>
                    <td>{names[choice.taken]}</td>
                  </>
                ) : (
                  choice.alternatives.map((figures, i) => (
                    <td key={names[i]} data-taken={i === choice.taken}>
                      {i === choice.taken && <strong>taken </strong>}
                      {decidingFigure(criterion, figures)}
                      <br />
                      <span className={styles.rest}>{otherFigures(criterion, figures)}</span>
                    </td>
                  ))
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </>
  );
}

function captionOf(criterion: ChoiceCriterion): string {
  if (criterion.type === 'divergence') {
    return `the first below a distance of ${criterion.tau} between pooled and true attention of the last queries`;
  }
  const { rowStride } = criterion;
  const sample = rowStride === 1 ? 'all queries' : `one query in ${rowStride}`;
  switch (criterion.type) {
    case 'least-error':
      return `taken by the least output error, of ${sample}`;
    case 'recall-per-flop':
      return `taken by the most mass recall per FLOP, of ${sample}`;
    case 'recall-at-density':
      return `taken by the most mass recall at a density of at most ${formatPercent(criterion.maxDensity)}, else by the least density, of ${sample}`;
  }
}

/** What was compared. */
function decidingFigure(
  { type }: ChoiceCriterion,
  { massRecall, outputError, flops }: AlternativeFigures,
): string {
  if (type === 'least-error') return `error ${outputError.toPrecision(2)}`;
  if (type === 'recall-at-density') return `recall ${formatPercent(massRecall)}`;
  return flops === 0 ? 'no FLOP' : `${formatCount((1e9 * massRecall) / flops)} per GFLOP`;
}

function otherFigures(
  criterion: ChoiceCriterion,
  { massRecall, density }: AlternativeFigures,
): string {
  if (criterion.type !== 'recall-at-density') {
    return `recall ${formatPercent(massRecall)}, density ${formatPercent(density)}`;
  }
  const isAbove = density > criterion.maxDensity;
  return `density ${formatPercent(density)}${isAbove ? ', above the bound' : ''}`;
}
