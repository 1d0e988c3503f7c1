'use client';

import { blockRow } from '../../lib/attention/block-states';
import type { BlockList, MapRect } from '../../lib/attention/types';
import { formatPercent } from '../../lib/views/format';
import type { BlockWords } from '../../lib/views/map/block-words';
import { ScrollRegion } from '../cells/scroll-region';
import styles from './views.module.css';

const ROWS = 24;

/** What each query block in view visits: the block overlay's table view. */
export function MapBlocksTable({
  list,
  rect,
  queries,
  words,
  nameOf,
}: {
  readonly list: BlockList;
  readonly rect: MapRect;
  readonly queries: number;
  readonly words: BlockWords;
  /** Of a query, where blocks have but one. */
  readonly nameOf: (query: number) => string;
}) {
  const { blockQueries, queryBlocks, keyBlocks, blocks } = list;
  const first = Math.floor(rect.queryStart / blockQueries);
  const inView = Math.min(queryBlocks, Math.ceil(rect.queryEnd / blockQueries)) - first;
  const rows = Array.from({ length: Math.min(ROWS, inView) }, (_, i) => blockRow(list, first + i));
  const share = formatPercent(blocks.length / (queryBlocks * keyBlocks));
  return (
    <ScrollRegion className={styles.scroll} label={words.tableName}>
      <table>
        <caption className={styles.note}>
          {words.tableText(list)}: {blocks.length} of {queryBlocks * keyBlocks} ({share});{' '}
          {rows.length < inView
            ? `the first ${rows.length} of ${inView} ${words.rows} in view`
            : `the ${words.rows} in view`}
        </caption>
        <thead>
          <tr>
            {words.columns.map((name) => (
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
                {blockQueries === 1
                  ? nameOf(queryBlock)
                  : `${queryBlock * blockQueries} to ${Math.min(queries, (queryBlock + 1) * blockQueries) - 1}`}
              </td>
              <td>{full}</td>
              <td>{partial}</td>
              <td>{skipped}</td>
              <td>
                {[
                  ...(full > 0 ? [`${words.columns[2]} ${fullRanges}`] : []),
                  ...(partial > 0 ? [`${words.columns[3]} ${partialRanges}`] : []),
                ].join('; ') || 'none'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
