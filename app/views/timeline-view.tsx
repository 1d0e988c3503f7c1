'use client';

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import { chromeTraceChunks } from '../../lib/serving/chrome-trace';
import type { TimelineParams } from '../../lib/spec/kinds/views';
import { AXIS_HEIGHT, LANE_HEIGHT, type TimelineScene } from '../../lib/views/timeline/draw';
import { describeIteration, visibleCsv } from '../../lib/views/timeline/rows';
import { clampSpan, type Span, zoomSpan } from '../../lib/views/timeline/span';
import { traceCsv, traceSpan } from '../../lib/views/timeline/trace-strip';
import type { ViewInput } from '../../lib/views/view-input';
import { saveBlob, saveText } from '../state/save';
import { RequestPicker } from './request-picker';
import { TimelineCanvas } from './timeline-canvas';
import { Legend } from './timeline-legend';
import { TimelineMinimap } from './timeline-minimap';
import { AggregateTable, IterationTable } from './timeline-tables';
import { TraceStrip } from './trace-strip';
import { TraceTable } from './trace-table';
import { useTokens, useWidth } from './use-canvas';
import { useDelayed } from './use-delayed';
import { useRequestTrace } from './use-request-trace';
import { useSettled } from './use-settled';
import { keyOf, useLanes, useNear, useRuns } from './use-timeline-runs';
import styles from './views.module.css';

interface Props {
  readonly params: TimelineParams;
  readonly inputs: readonly ViewInput[];
  readonly session: Session;
  readonly onParamsChange: (params: TimelineParams) => void;
}

const COLORS = {
  ink: '--ink',
  inkSoft: '--ink-soft',
  line: '--line',
  idle: '--idle',
  prefill: '--prefill',
  decode: '--decode',
  link: '--link',
  queue: '--queue',
  accent: '--accent',
  stalled: '--bad',
};

/** Iterations of every replica over simulated time, with queue and KV counters. */
export function TimelineView(props: Props) {
  const hasRun = props.inputs.some(({ result }) => result !== undefined);
  if (hasRun) return <Timeline {...props} />;
  return (
    <p className={styles.note}>
      run {props.inputs.map(({ id }) => id).join(', ')} to see the timeline
    </p>
  );
}

function Timeline({ params, inputs, session, onParamsChange }: Props) {
  const lanes = useLanes(inputs);
  const trace = useRequestTrace(session, keyOf(inputs));
  const { shown } = trace;
  const search = useRef<HTMLInputElement>(null);
  const focusSearch = useCallback(() => search.current?.focus(), []);
  const whole = useMemo<Span>(() => {
    const ends = lanes.map(({ index: { lane, count } }) =>
      count === 0
        ? 0
        : (lane.startSeconds[count - 1] as number) + (lane.durationSeconds[count - 1] as number),
    );
    return { start: 0, end: Math.max(1e-3, ...ends) };
  }, [lanes]);
  const [span, setSpan] = useState<Span>(() =>
    clampSpan({ start: params.startSeconds ?? 0, end: params.endSeconds ?? whole.end }, whole),
  );
  const [selection, setSelection] = useState<Span>();
  const [cursor, setCursor] = useState<TimelineScene['cursor']>();
  const [isTable, setTable] = useState(false);
  const [hover, setHover] = useState('');
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(box, 900);
  const colors = useTokens(box, COLORS);
  const height = AXIS_HEIGHT + lanes.length * LANE_HEIGHT;

  useEffect(
    () =>
      setSpan((before) =>
        clampSpan(
          { start: params.startSeconds ?? before.start, end: params.endSeconds ?? whole.end },
          whole,
        ),
      ),
    [whole, params.startSeconds, params.endSeconds],
  );

  const report = useDelayed((next: Span) => {
    const isWhole = next.start <= whole.start && next.end >= whole.end;
    onParamsChange(
      isWhole
        ? {}
        : {
            startSeconds: Number(next.start.toPrecision(9)),
            endSeconds: Number(next.end.toPrecision(9)),
          },
    );
  });
  const move = useCallback(
    (next: Span) => {
      setSpan(next);
      report(next);
    },
    [report],
  );

  const scene = useMemo<TimelineScene>(
    () => ({
      lanes: lanes.map(({ index, label }, i) => ({
        index,
        label,
        top: AXIS_HEIGHT + i * LANE_HEIGHT,
      })),
      span,
      width,
      height,
      selection,
      cursor,
      trace: shown && {
        trace: shown.trace,
        selected: shown.selected,
        firstLane: lanes.findIndex(({ runId }) => runId === shown.runId),
      },
    }),
    [lanes, span, width, height, selection, cursor, shown],
  );
  const middle = (span.start + span.end) / 2;
  const chosen = cursor === undefined ? undefined : lanes[cursor.lane];
  const runs = useRuns(inputs);
  const near = useNear(runs, chosen, cursor?.iteration);
  const area = useSettled(selection ?? span);
  const showPhase = useCallback(
    (phase: number) => {
      const each = shown?.trace.phases[phase];
      if (each === undefined) return;
      const around = Math.max(1e-3, each.endSeconds - each.startSeconds);
      move(clampSpan({ start: each.startSeconds - around, end: each.endSeconds + around }, whole));
    },
    [shown, move, whole],
  );
  const exportTrace = ({ id, result }: ViewInput) => {
    if (result?.output.kind !== 'serve') return;
    const chunks = [...chromeTraceChunks(result.output.value, { cell: id, ...result.provenance })];
    saveBlob(new Blob(chunks, { type: 'application/json' }), `${id}.trace.json`);
  };
  const exportPng = () =>
    canvas.current?.toBlob((blob) => blob !== null && saveBlob(blob, 'timeline.png'));
  return (
    <div ref={box}>
      <div className={styles.tools}>
        <button type="button" onClick={() => move(zoomSpan(span, 0.5, middle, whole))}>
          Zoom in
        </button>
        <button type="button" onClick={() => move(zoomSpan(span, 2, middle, whole))}>
          Zoom out
        </button>
        <button type="button" onClick={() => move(whole)}>
          Whole
        </button>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
        {inputs.map((input) => (
          <button
            key={input.id}
            type="button"
            disabled={input.result === undefined}
            onClick={() => exportTrace(input)}
          >
            Trace {input.id}
          </button>
        ))}
        <button type="button" disabled={isTable} onClick={exportPng}>
          PNG
        </button>
        <button
          type="button"
          onClick={() => saveText(visibleCsv(lanes, span), 'iterations.csv', 'text/csv')}
        >
          CSV
        </button>
      </div>
      {isTable ? (
        <IterationTable lanes={lanes} span={span} />
      ) : (
        <>
          <TimelineCanvas
            canvas={canvas}
            scene={scene}
            whole={whole}
            colors={colors}
            onMove={move}
            onSelect={setSelection}
            onCursor={setCursor}
            onHover={setHover}
            onSearch={focusSearch}
          />
          <TimelineMinimap
            lanes={lanes}
            whole={whole}
            span={span}
            width={width}
            colors={colors}
            onMove={move}
          />
          <Legend />
          <p className={styles.readout}>{hover}</p>
          <p className={styles.readout} aria-live="polite" data-testid="timeline-cursor">
            {cursor === undefined || chosen === undefined
              ? ''
              : describeIteration(chosen, cursor.iteration)}
          </p>
        </>
      )}
      <RequestPicker
        runs={runs}
        near={near}
        isBusy={trace.isBusy}
        field={search}
        onPick={trace.ask}
      />
      {trace.problem !== undefined && (
        <p className={styles.note} role="alert">
          {trace.problem}
        </p>
      )}
      {shown !== undefined && (
        <section aria-label={`why request ${shown.trace.id} waited`}>
          <TraceStrip {...shown} onSelect={trace.select} onShow={showPhase} />
          <div className={styles.tools}>
            <button type="button" onClick={() => move(clampSpan(traceSpan(shown.trace), whole))}>
              Show on the timeline
            </button>
            <button
              type="button"
              onClick={() =>
                saveText(traceCsv(shown.trace), `request-${shown.trace.id}.csv`, 'text/csv')
              }
            >
              Phases as CSV
            </button>
            <button type="button" onClick={trace.clear}>
              Close
            </button>
          </div>
          {isTable && <TraceTable trace={shown.trace} />}
        </section>
      )}
      <AggregateTable lanes={lanes} span={area} isSelected={selection !== undefined} />
    </div>
  );
}
