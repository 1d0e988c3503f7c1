'use client';

import { memo, useMemo } from 'react';
import { formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { aggregateLane } from '../../lib/views/timeline/lane-index';
import { type LabelledLane, visibleRows } from '../../lib/views/timeline/rows';
import type { Span } from '../../lib/views/timeline/span';
import styles from './views.module.css';

const TABLE_ROWS = 200;

interface Props {
  readonly lanes: readonly LabelledLane[];
  readonly span: Span;
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

/** What an area holds, lane by lane. Memoised: a pan draws many frames before its table changes. */
export const AggregateTable = memo(function AggregateTable({
  lanes,
  span,
  isSelected,
}: Props & { isSelected: boolean }) {
  const sums = useMemo(
    () =>
      lanes.map(({ label, index }) => ({ label, ...aggregateLane(index, span.start, span.end) })),
    [lanes, span],
  );
  return (
    <section className={styles.scroll} aria-label="aggregates">
      <table>
        <caption className={styles.note}>
          {isSelected ? 'selected' : 'visible'}: {formatSeconds(span.start)} to{' '}
          {formatSeconds(span.end)}, simulated
        </caption>
        <Head
          names={[
            'lane',
            'iterations',
            'busy',
            'prefill tokens',
            'decode tokens',
            'mean batch',
            'mean iteration',
            'longest',
            'queue max',
            'KV max',
          ]}
        />
        <tbody>
          {sums.map((sum) => (
            <tr key={sum.label}>
              <th scope="row">{sum.label}</th>
              <td>{formatCount(sum.iterations)}</td>
              <td>{formatPercent(sum.busyFraction)}</td>
              <td>{formatCount(sum.prefillTokens)}</td>
              <td>{formatCount(sum.decodeTokens)}</td>
              <td>{formatCount(sum.meanBatch)}</td>
              <td>{formatSeconds(sum.meanIterationSeconds)}</td>
              <td>{formatSeconds(sum.longestSeconds)}</td>
              <td>{sum.maxQueue}</td>
              <td>{formatPercent(sum.maxKvShare)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
});

/** The visible iterations as text: the timeline's table view. */
export function IterationTable({ lanes, span }: Props) {
  return (
    <div className={styles.scroll}>
      <table>
        <caption className={styles.note}>the first {TABLE_ROWS} visible iterations</caption>
        <Head
          names={[
            'lane',
            'iteration',
            'start',
            'duration',
            'prefill tokens',
            'decodes',
            'queue',
            'KV blocks',
          ]}
        />
        <tbody>
          {[...visibleRows(lanes, span, TABLE_ROWS)].map(({ label, lane, i }) => (
            <tr key={`${label} ${i}`}>
              <td>{label}</td>
              <td>{i}</td>
              <td>{formatSeconds(lane.startSeconds[i] as number)}</td>
              <td>{formatSeconds(lane.durationSeconds[i] as number)}</td>
              <td>{lane.prefillTokens[i]}</td>
              <td>{lane.decodeTokens[i]}</td>
              <td>{lane.queueLength[i]}</td>
              <td>{lane.kvBlocksUsed[i]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
