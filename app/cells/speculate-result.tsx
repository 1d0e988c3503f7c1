'use client';

import type * as PlotModule from '@observablehq/plot';
import { useCallback, useMemo, useState } from 'react';
import { acceptanceJson, type SpeculateResult } from '../../lib/speculate/cell-result';
import { acceptanceChart, acceptanceLabel, placesOf } from '../../lib/views/charts/acceptance';
import { formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { Region } from '../parts/region';
import { saveText } from '../state/save';
import { PlotFigure } from '../views/plot-figure';
import { type Metric, MetricList } from './metric-list';
import styles from './recall-gap.module.css';
import { ScrollRegion } from './scroll-region';
import { SpeculateRounds, SpeculateTokens } from './speculate-tokens';

interface Props {
  readonly result: SpeculateResult;
  /** More of the text is on its way. */
  readonly isPartial: boolean;
}

/** A text by draft and verify: what was guessed right, and what that saved. */
export function SpeculateResultView({ result, isPartial }: Props) {
  const { profile, isGreedyText, firstDifference, labels, greedyLabels } = result;
  const places = useMemo(() => placesOf(profile), [profile]);
  const chart = useCallback(
    (Plot: typeof PlotModule, width: number) => acceptanceChart(Plot, places, width),
    [places],
  );
  const [hasRejected, setRejected] = useState(true);
  return (
    <>
      <MetricList metrics={metricsOf(result, isPartial)} />
      <p className={styles.check} data-tone={isGreedyText ? 'good' : 'bad'} role="status">
        {isGreedyText
          ? `identical to greedy decoding${isPartial ? ' so far' : ''}: all ${labels.length} tokens agree`
          : `differs from greedy decoding at token ${firstDifference}: ${labels[firstDifference] ?? 'ended'} for ${greedyLabels[firstDifference] ?? 'ended'} (a tie that batches round differently can do this)`}
      </p>
      <Region label="written text">
        <p className={styles.note}>
          <span className={styles.key}>
            <span>
              underlined: a guess that was accepted; boxed: the model's own; struck through: a guess
              that was rejected; grey: the end of the prompt.
            </span>
            <label>
              <input
                type="checkbox"
                checked={hasRejected}
                onChange={({ target }) => setRejected(target.checked)}
              />{' '}
              show rejected guesses
            </label>
          </span>
        </p>
        <SpeculateTokens result={result} hasRejected={hasRejected} />
      </Region>
      <PlotFigure
        options={chart}
        label={acceptanceLabel(places)}
        caption="accepted at each place in the draft, given that every place before was accepted; lines are 95 % Wilson intervals"
      />
      <ScrollRegion className={styles.scroll} label="acceptance by place">
        <table>
          <caption className="visually-hidden">acceptance by place</caption>
          <thead>
            <tr>
              {['place', 'drafted', 'reached', 'accepted', 'of reached', '95 % interval'].map(
                (name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {places.map(({ place, offered, reached, accepted, share, low, high }) => (
              <tr key={place}>
                <th scope="row">{place}</th>
                <td>{offered}</td>
                <td>{reached}</td>
                <td>{accepted}</td>
                <td>{formatPercent(share)}</td>
                <td>{reached === 0 ? '' : `${formatPercent(low)} to ${formatPercent(high)}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <p>
        <button
          type="button"
          onClick={() => saveText(acceptanceJson(result), 'acceptance.json', 'application/json')}
        >
          Export acceptance as JSON
        </button>
      </p>
      <SpeculateRounds result={result} />
    </>
  );
}

function metricsOf(result: SpeculateResult, isPartial: boolean): readonly Metric[] {
  const { profile, seconds, greedyCalls, tokens } = result;
  const faster = seconds.greedy / (seconds.prepare + seconds.speculate);
  const calls = profile.verifierCalls + profile.drafterCalls;
  return [
    { name: 'drafter', value: result.drafter, note: `${profile.draftTokens} tokens per round` },
    {
      name: 'tokens per verifier call',
      value: formatCount(profile.tokensPerStep),
      note: `${profile.tokens} tokens in ${profile.verifierCalls} calls; greedy has 1`,
    },
    {
      name: 'tokens per model call',
      value: calls === 0 ? 'none' : formatCount(profile.tokens / calls),
      note: `${profile.verifierCalls} verifier and ${profile.drafterCalls} drafter calls; greedy took ${greedyCalls}`,
    },
    {
      name: 'time',
      value: formatSeconds(seconds.speculate + seconds.prepare),
      note: `${formatSeconds(seconds.prepare)} of it before the first draft; greedy took ${formatSeconds(seconds.greedy)}`,
    },
    {
      name: 'against greedy',
      value: isPartial
        ? 'not yet'
        : tokens.length < 2
          ? 'none'
          : `${formatCount(faster)} times as fast`,
      note: 'in this run, on this machine: rows that are checked together cost more than one row here',
      tone: !isPartial && faster >= 1 ? 'good' : 'muted',
    },
    {
      name: 'model',
      value: result.modelName,
      note: `${result.engine}; prompt of ${result.promptLabels.length} tokens read in ${formatSeconds(seconds.prefill)}`,
    },
  ];
}
