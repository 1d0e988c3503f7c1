'use client';

import type { Turn } from '../../lib/serving/program-turns';
import { formatSeconds } from '../../lib/views/format';
import { clampSpan, type Span } from '../../lib/views/timeline/span';
import { traceCsv, traceSpan } from '../../lib/views/timeline/trace-strip';
import { Region } from '../parts/region';
import { saveText } from '../state/save';
import { ProgramTurns } from './program-turns';
import { TraceStrip } from './trace-strip';
import { TraceTable } from './trace-table';
import type { ShownTrace, TraceState } from './use-request-trace';
import styles from './views.module.css';

interface Props {
  readonly shown: ShownTrace;
  readonly turns: readonly Turn[];
  readonly state: TraceState;
  readonly whole: Span;
  readonly isTable: boolean;
  readonly onMove: (span: Span) => void;
}

/** Why one request waited: its strip, its program, and its phases as a table. */
export function TimelineWhy({ shown, turns, state, whole, isTable, onMove }: Props) {
  const { trace, runId } = shown;
  const showPhase = (phase: number) => {
    const each = trace.phases[phase];
    if (each === undefined) return;
    const around = Math.max(1e-3, each.endSeconds - each.startSeconds);
    onMove(clampSpan({ start: each.startSeconds - around, end: each.endSeconds + around }, whole));
  };
  const showProgram = () => {
    const ends = turns.map(({ completedSeconds, sentSeconds }) =>
      Number.isNaN(completedSeconds) ? sentSeconds : completedSeconds,
    );
    const start = Math.min(...turns.map(({ sentSeconds }) => sentSeconds));
    onMove(clampSpan({ start, end: Math.max(...ends) }, whole));
  };
  return (
    <Region label={`why request ${trace.id} waited`}>
      <TraceStrip {...shown} onSelect={state.select} onShow={showPhase} />
      <div className={styles.tools}>
        <button type="button" onClick={() => onMove(clampSpan(traceSpan(trace), whole))}>
          Show on the timeline
        </button>
        {turns.length > 0 && (
          <button type="button" onClick={showProgram}>
            Show its program
          </button>
        )}
        <button
          type="button"
          onClick={() => saveText(traceCsv(trace), `request-${trace.id}.csv`, 'text/csv')}
        >
          Phases as CSV
        </button>
        <button type="button" onClick={state.clear}>
          Close
        </button>
      </div>
      {trace.origin !== undefined && (
        <p className={styles.note}>
          before it was sent its program was away for {formatSeconds(trace.origin.gapSeconds)}, from
          the end of request {trace.origin.after}
        </p>
      )}
      <ProgramTurns turns={turns} shown={trace.id} onPick={(id) => state.ask(runId, id)} />
      {isTable && <TraceTable trace={trace} />}
    </Region>
  );
}
