'use client';

import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { makeProgram } from '../../lib/attention/program';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import { formatPercent } from '../../lib/views/format';
import { drawMaskPreview, type MaskPreview, previewMask } from '../../lib/views/mask/preview';
import { maskCellText, maskTable } from '../../lib/views/mask/reading';
import { usePointedElement } from '../state/pointed-element';
import { useTokens } from '../views/use-canvas';
import styles from './variant-editor.module.css';

const COLORS = { none: '--surface-sunken', all: '--accent' };
/** Rows and columns of the table view, at most. */
const TABLE_CELLS = 8;

interface Cursor {
  readonly row: number;
  readonly column: number;
}

/** The mask as it is written, before anything runs: a picture that arrow keys read, or a table. */
export function MaskPreviewView({
  cellId,
  params,
  contentKey,
}: {
  readonly cellId: string;
  readonly params: AttentionParams;
  readonly contentKey: string;
}) {
  const box = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const colors = useTokens(box, COLORS);
  const [wantedHead, setHead] = useState(0);
  const [isTable, setTable] = useState(false);
  const [cursor, setCursor] = useState<Cursor>();
  const shown = useDeferredValue(contentKey);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shown` is the content of the params
  const [program, shape] = useMemo(() => [makeProgram(params), params.shape] as const, [shown]);
  const { queries, keys, queryHeads } = shape;
  const head = program.maskPerHead ? Math.min(wantedHead, queryHeads - 1) : 0;
  const preview = useMemo(() => previewMask(program, shape, head), [program, shape, head]);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context == null || colors === undefined || isTable) return;
    drawMaskPreview(context, preview, colors);
  }, [preview, colors, isTable]);
  const pointed = usePointedElement(cellId);
  const { rows, columns, full, partial, none, shares } = preview;
  const seen = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const cells = rows * columns;
  const at = (row: number, column: number): Cursor => ({
    row: Math.max(0, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  const read = cursor && at(cursor.row, cursor.column);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.shiftKey ? 8 : 1;
    const { row, column } = read ?? { row: 0, column: 0 };
    const moved: Readonly<Record<string, Cursor>> = {
      ArrowRight: at(row, column + by),
      ArrowLeft: at(row, column - by),
      ArrowDown: at(row + by, column),
      ArrowUp: at(row - by, column),
      Home: at(row, 0),
      End: at(row, columns - 1),
    };
    const next = moved[event.key];
    if (next === undefined) return;
    event.preventDefault();
    // The first key reads the first cell.
    setCursor(read === undefined ? at(0, 0) : next);
  };
  const of = program.maskPerHead ? `head ${head}` : 'every head';
  return (
    <figure ref={box} className={styles.preview}>
      <p className={styles.previewBar}>
        {program.maskPerHead ? (
          <label>
            head{' '}
            <select value={head} onChange={(event) => setHead(Number(event.target.value))}>
              {[...Array(queryHeads).keys()].map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
        ) : (
          <span>mask</span>
        )}
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </p>
      {isTable ? (
        <PreviewTable preview={preview} of={of} />
      ) : (
        // biome-ignore lint/a11y/useSemanticElements: a drawing that the keyboard reads cell by cell
        <div
          className={styles.picture}
          role="group"
          aria-label="cells of the mask; arrow keys read them, with shift eight at a time"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard's way to the cells
          tabIndex={0}
          onKeyDown={onKeyDown}
          onPointerMove={(event) => {
            const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
            const row = Math.floor(((event.clientY - top) / height) * rows);
            setCursor(at(row, Math.floor(((event.clientX - left) / width) * columns)));
          }}
          onPointerLeave={() => setCursor(undefined)}
        >
          <canvas
            ref={canvas}
            width={columns}
            height={rows}
            role="img"
            aria-label={`mask of ${of}, queries down, keys across: about ${formatPercent(seen)} seen`}
          />
          {read !== undefined && (
            <span
              className={styles.readCell}
              style={{
                left: `${(100 * read.column) / columns}%`,
                top: `${(100 * read.row) / rows}%`,
                width: `${100 / columns}%`,
                height: `${100 / rows}%`,
              }}
            />
          )}
          {pointed !== undefined && pointed.query < queries && pointed.key < keys && (
            <span
              className={styles.pointed}
              data-testid="mask-pointed"
              title={`query ${pointed.query}, key ${pointed.key}`}
              style={{
                left: `${(100 * (pointed.key + 0.5)) / (columns * preview.keysPerCell)}%`,
                top: `${(100 * (pointed.query + 0.5)) / (rows * preview.queriesPerCell)}%`,
              }}
            />
          )}
        </div>
      )}
      <figcaption>
        about {formatPercent(seen)} seen; of cells of {preview.queriesPerCell} x{' '}
        {preview.keysPerCell}: {formatPercent(full / cells)} whole, {formatPercent(partial / cells)}{' '}
        in part, {formatPercent(none / cells)} skipped
      </figcaption>
      <p className={styles.previewReading} role="status" data-testid="mask-reading">
        {read === undefined ? '' : maskCellText(preview, shape, read.row, read.column)}
      </p>
    </figure>
  );
}

function PreviewTable({ preview, of }: { readonly preview: MaskPreview; readonly of: string }) {
  const { firstQueries, firstKeys, shares } = maskTable(preview, TABLE_CELLS);
  return (
    <div className={styles.previewTable}>
      <table>
        <caption>share seen of {of}: queries down, keys across, from the position named</caption>
        <thead>
          <tr>
            <th scope="col">q \ k</th>
            {firstKeys.map((key) => (
              <th key={key} scope="col">
                {key}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {firstQueries.map((query, r) => (
            <tr key={query}>
              <th scope="row">{query}</th>
              {firstKeys.map((key, c) => (
                <td key={key}>{formatPercent(shares[r]?.[c] ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
