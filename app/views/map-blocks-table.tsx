'use client';

import { blockRow } from '../../lib/attention/block-states';
import type { BlockList, MapRect } from '../../lib/attention/types';
import { formatPercent } from '../../lib/views/format';
import styles from './views.module.css';

const ROWS = 24;

/** What each query block in view visits: the block overlay's table view. */
export function MapBlocksTable({
  list,
  rect,
  queries,
}: {
  readonly list: BlockList;
  readonly rect: MapRect;
  readonly queries: number;
}) {
  const { blockQueries, blockKeys, queryBlocks, keyBlocks, blocks } = list;
  const first = Math.floor(rect.queryStart / blockQueries);
  const inView = Math.min(queryBlocks, Math.ceil(rect.queryEnd / blockQueries)) - first;
  const rows = Array.from({ length: Math.min(ROWS, inView) }, (_, i) => blockRow(list, first + i));
  const share = formatPercent(blocks.length / (queryBlocks * keyBlocks));
  return (
    <section className={styles.scroll} aria-label="visited blocks">
      <table>
        <caption className={styles.note}>
          visited blocks of {blockQueries} queries x {blockKeys} keys: {blocks.length} of{' '}
          {queryBlocks * keyBlocks} ({share});{' '}
          {rows.length < inView
            ? `the first ${rows.length} of ${inView} query blocks in view`
            : 'the query blocks in view'}
        </caption>
        <thead>
          <tr>
            {['query block', 'queries', 'full', 'partial', 'skipped', 'key blocks'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ queryBlock, full, partial, skipped, fullRanges, partialRanges }) => (
            <tr key={queryBlock}>
              <th scope="row">{queryBlock}</th>
              <td>
                {queryBlock * blockQueries} to{' '}
                {Math.min(queries, (queryBlock + 1) * blockQueries) - 1}
              </td>
              <td>{full}</td>
              <td>{partial}</td>
              <td>{skipped}</td>
              <td>
                {[
                  ...(full > 0 ? [`full ${fullRanges}`] : []),
                  ...(partial > 0 ? [`partial ${partialRanges}`] : []),
                ].join('; ') || 'none'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
