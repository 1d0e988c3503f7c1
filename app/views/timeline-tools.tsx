'use client';

import { memo, type Ref } from 'react';
import type { Span } from '../../lib/views/timeline/span';
import { zoomSpan } from '../../lib/views/timeline/span';
import type { ViewInput } from '../../lib/views/view-input';
import styles from './views.module.css';

interface Props {
  readonly inputs: readonly ViewInput[];
  readonly span: Span;
  readonly whole: Span;
  readonly isTable: boolean;
  /** What lanes must be called to be shown, and how many are. */
  readonly filter: string;
  readonly shownLanes: number;
  readonly allLanes: number;
  readonly filterField: Ref<HTMLInputElement>;
  readonly onMove: (span: Span) => void;
  readonly onTable: (isTable: boolean) => void;
  readonly onFilter: (text: string) => void;
  readonly onTrace: (input: ViewInput) => void;
  readonly onPng: () => void;
  readonly onCsv: () => void;
}

/** Zoom, table, exports, and the field that finds lanes by their names. */
export const TimelineTools = memo(function TimelineTools(props: Props) {
  const { inputs, span, whole, isTable, filter, shownLanes, allLanes } = props;
  const middle = (span.start + span.end) / 2;
  return (
    <div className={styles.tools}>
      <button type="button" onClick={() => props.onMove(zoomSpan(span, 0.5, middle, whole))}>
        Zoom in
      </button>
      <button type="button" onClick={() => props.onMove(zoomSpan(span, 2, middle, whole))}>
        Zoom out
      </button>
      <button type="button" onClick={() => props.onMove(whole)}>
        Whole
      </button>
      <button type="button" aria-pressed={isTable} onClick={() => props.onTable(!isTable)}>
        Table
      </button>
      {inputs.map((input) => (
        <button
          key={input.id}
          type="button"
          disabled={input.result === undefined}
          onClick={() => props.onTrace(input)}
        >
          Trace {input.id}
        </button>
      ))}
      <button type="button" disabled={isTable} onClick={props.onPng}>
        PNG
      </button>
      <button type="button" onClick={props.onCsv}>
        CSV
      </button>
      {allLanes > 1 && (
        <label>
          lanes{' '}
          <input
            ref={props.filterField}
            className={styles.laneFilter}
            type="search"
            value={filter}
            placeholder="all"
            aria-keyshortcuts="L"
            onChange={(event) => props.onFilter(event.target.value)}
          />{' '}
          <span role="status">{filter === '' ? '' : `${shownLanes} of ${allLanes}`}</span>
        </label>
      )}
    </div>
  );
});
