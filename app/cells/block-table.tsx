'use client';

import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { PageTable } from '../../lib/attention/decode/pages';
import {
  countPages,
  describePage,
  drawPages,
  PAGE_STATES,
  pageAt,
  pageGrid,
} from '../../lib/views/pages/picture';
import { Region } from '../parts/region';
import { preparedContext, useTokens, useWidth } from '../views/use-canvas';
import styles from './decode.module.css';

const COLORS = {
  free: '--idle',
  used: '--series-1',
  shared: '--series-2',
  'partly filled': '--series-3',
  ink: '--ink',
};
/** Pages of a row of the table view. */
const LISTED = 24;

/** The pool page by page; arrow keys read one after the other, and a table holds the block tables. */
export function BlockTableView({ table }: { readonly table: PageTable }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(box, 320);
  const colors = useTokens(box, COLORS);
  const [selected, setSelected] = useState<number>();
  const [isTable, setTable] = useState(false);
  const pages = table.pageUse.length;
  const grid = useMemo(() => pageGrid(pages, width), [pages, width]);
  const counts = useMemo(() => countPages(table), [table]);
  useEffect(() => {
    if (canvas.current === null || colors === undefined || isTable) return;
    const context = preparedContext(
      canvas.current,
      grid.columns * grid.cell,
      grid.rows * grid.cell,
    );
    if (context !== undefined) drawPages(context, table, grid, colors, selected);
  }, [table, grid, colors, selected, isTable]);
  const read = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: grid.columns,
      ArrowUp: -grid.columns,
      Home: -pages,
      End: pages,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (selected ?? (step > 0 ? -1 : 0)) + step;
    // The first key reads the first page.
    setSelected(Math.max(0, Math.min(pages - 1, selected === undefined ? 0 : next)));
  };
  const inWords = PAGE_STATES.map((state) => `${counts[state]} ${state}`).join(', ');
  return (
    <Region label="pages" className={styles.pages}>
      <p className={styles.bar}>
        <span>
          the pool, {pages} pages of {table.pageTokens} tokens
        </span>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </p>
      <div ref={box} hidden={isTable}>
        {/* biome-ignore lint/a11y/useSemanticElements: a drawing that the keyboard reads page by page */}
        <div
          role="group"
          aria-label={`pages of the pool: ${inWords}; arrow keys read them`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard's way to the pages
          tabIndex={0}
          onKeyDown={read}
          onPointerMove={(event) => {
            const { left, top } = event.currentTarget.getBoundingClientRect();
            setSelected(pageAt(grid, pages, event.clientX - left, event.clientY - top));
          }}
          onPointerLeave={() => setSelected(undefined)}
        >
          <canvas
            ref={canvas}
            className={styles.pool}
            style={{ width: grid.columns * grid.cell, height: grid.rows * grid.cell }}
          />
        </div>
        <p className={styles.readout} role="status">
          {selected === undefined ? '' : describePage(table, selected)}
        </p>
        <ul className={styles.legend}>
          {PAGE_STATES.map((state) => (
            <li key={state}>
              <span data-page={state} className={styles.swatch} aria-hidden="true" />
              {counts[state]} {state}
            </li>
          ))}
        </ul>
      </div>
      {isTable && <SequenceTable table={table} />}
    </Region>
  );
}

/** Block tables row by row. */
function SequenceTable({ table }: { readonly table: PageTable }) {
  const { lengths, pagesPerSequence, blockTable, pageTokens } = table;
  return (
    <div className={styles.scroll}>
      <table>
        <caption>block tables: pages of the pool in the order of each sequence's tokens</caption>
        <thead>
          <tr>
            {['sequence', 'tokens', 'pages', 'empty places', 'block table'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from(lengths, (tokens, sequence) => {
            const pages = Math.ceil(tokens / pageTokens);
            const first = sequence * pagesPerSequence;
            const listed = blockTable.subarray(first, first + Math.min(pages, LISTED));
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a sequence is its index
              <tr key={sequence}>
                <th scope="row">{sequence}</th>
                <td>{tokens}</td>
                <td>{pages}</td>
                <td>{pages * pageTokens - tokens}</td>
                <td className={styles.list}>
                  {listed.join(', ')}
                  {pages > LISTED ? ` and ${pages - LISTED} more` : ''}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
