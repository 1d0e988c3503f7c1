'use client';

import { memo, type ReactNode, useMemo } from 'react';
import { computes, countsImages } from '../../lib/serving/lane-roles';
import { formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import { aggregateLane } from '../../lib/views/timeline/lane-index';
import { amountOf, type LabelledLane, requestOf, visibleRows } from '../../lib/views/timeline/rows';
import { aggregateLink, aggregateShares, sharesAt } from '../../lib/views/timeline/side-aggregates';
import type { Span } from '../../lib/views/timeline/span';
import { ScrollRegion } from '../cells/scroll-region';
import styles from './views.module.css';

const TABLE_ROWS = 200;
const NONE = '–';

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

/** A table of one row per lane; nothing where there are none. */
function LaneTable({
  label,
  caption,
  names,
  rows,
}: {
  readonly label: string;
  readonly caption: ReactNode;
  readonly names: readonly string[];
  readonly rows: readonly { readonly lane: string; readonly cells: readonly string[] }[];
}) {
  if (rows.length === 0) return null;
  return (
    <ScrollRegion className={styles.scroll} label={label}>
      <p className={styles.note}>{caption}</p>
      <table aria-label={label}>
        <Head names={names} />
        <tbody>
          {rows.map(({ lane, cells }) => (
            <tr key={lane}>
              <th scope="row">{lane}</th>
              {cells.map((cell, i) => (
                <td key={names[i + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

const REPLICA_NAMES = [
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
];
const LINK_NAMES = [
  'lane',
  'transfers',
  'busy',
  'KV tokens',
  'mean transfer',
  'longest',
  'tokens/s while busy',
];
const IMAGE_NAMES = [
  'lane',
  'batches',
  'busy',
  'images',
  'mean time',
  'longest',
  'images/s while busy',
];
const SHARE_NAMES = ['lane', 'prompts', 'decodes', 'unused', 'periods'];

function replicaRow({ label, index }: LabelledLane, { start, end }: Span) {
  const sum = aggregateLane(index, start, end);
  return {
    lane: label,
    cells: [
      formatCount(sum.iterations),
      formatPercent(sum.busyFraction),
      formatCount(sum.prefillTokens),
      formatCount(sum.decodeTokens),
      formatCount(sum.meanBatch),
      formatSeconds(sum.meanIterationSeconds),
      formatSeconds(sum.longestSeconds),
      String(sum.maxQueue),
      formatPercent(sum.maxKvShare),
    ],
  };
}

function linkRow({ label, index }: LabelledLane, { start, end }: Span) {
  const sum = aggregateLink(index, start, end);
  return {
    lane: label,
    cells: [
      formatCount(sum.transfers),
      formatPercent(sum.busyFraction),
      formatCount(sum.kvTokens),
      formatSeconds(sum.meanSeconds),
      formatSeconds(sum.longestSeconds),
      formatCount(sum.tokensPerSecond),
    ],
  };
}

function shareRow({ label, index }: LabelledLane, { start, end }: Span) {
  const { prefillShare, decodeShare, periods } = aggregateShares(index, start, end);
  const unused = Math.max(0, 1 - prefillShare - decodeShare);
  const shares = [prefillShare, decodeShare, unused].map(formatPercent);
  return { lane: label, cells: [...shares, formatCount(periods)] };
}

/** What an area holds, lane by lane. Memoised: a pan draws many frames before its table changes. */
export const AggregateTable = memo(function AggregateTable({
  lanes,
  span,
  isSelected,
}: Props & { isSelected: boolean }) {
  const { replicas, images, links, shares } = useMemo(() => {
    const of = (role: 'link' | 'share') =>
      lanes.filter(({ index: { lane } }) => lane.role === role && !countsImages(lane));
    return {
      replicas: lanes
        .filter(({ index }) => computes(index.lane))
        .map((lane) => replicaRow(lane, span)),
      images: lanes
        .filter(({ index }) => countsImages(index.lane))
        .map((lane) => linkRow(lane, span)),
      links: of('link').map((lane) => linkRow(lane, span)),
      shares: of('share').map((lane) => shareRow(lane, span)),
    };
  }, [lanes, span]);
  const area = `${isSelected ? 'selected' : 'visible'}: ${formatSeconds(span.start)} to ${formatSeconds(span.end)}, simulated`;
  return (
    <>
      <LaneTable label="aggregates" caption={area} names={REPLICA_NAMES} rows={replicas} />
      <LaneTable
        label="encoders"
        caption={`images: encoders, and the link that takes away what they make, ${area}`}
        names={IMAGE_NAMES}
        rows={images}
      />
      <LaneTable
        label="links and stores"
        caption={`links and stores, ${area}`}
        names={LINK_NAMES}
        rows={links}
      />
      <LaneTable
        label="shares of accelerators"
        caption={`mean shares of each accelerator’s SMs, ${area}`}
        names={SHARE_NAMES}
        rows={shares}
      />
    </>
  );
});

function rowCells({ index }: LabelledLane, i: number): readonly string[] {
  const { lane } = index;
  if (lane.role === 'link' || lane.role === 'encode') {
    const id = requestOf(lane, i);
    return [amountOf(lane, i), NONE, NONE, NONE, id === undefined ? NONE : String(id)];
  }
  if (lane.role === 'share') {
    const { prefill, decode } = sharesAt(index, i);
    return [formatPercent(prefill), formatPercent(decode), NONE, NONE, NONE];
  }
  const columns = [lane.prefillTokens, lane.decodeTokens, lane.queueLength, lane.kvBlocksUsed];
  return [...columns.map((column) => String(column[i])), NONE];
}

/** The visible iterations as text: the timeline's table view. */
export function IterationTable({ lanes, span }: Props) {
  const names = [
    'lane',
    'row',
    'start',
    'duration',
    'prefill tokens',
    'decodes',
    'queue',
    'KV blocks',
    'request',
  ];
  return (
    <ScrollRegion className={styles.scroll} label="rows of the timeline">
      <table>
        <caption className={styles.note}>
          the first {TABLE_ROWS} visible rows, lane by lane; fewer lanes show more of each
        </caption>
        <Head names={names} />
        <tbody>
          {[...visibleRows(lanes, span, TABLE_ROWS)].map(({ labelled, i }) => (
            <tr key={`${labelled.label} ${i}`}>
              <td>{labelled.label}</td>
              <td>{i}</td>
              <td>{formatSeconds(labelled.index.lane.startSeconds[i] as number)}</td>
              <td>{formatSeconds(labelled.index.lane.durationSeconds[i] as number)}</td>
              {rowCells(labelled, i).map((cell, c) => (
                <td key={names[c + 4]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
