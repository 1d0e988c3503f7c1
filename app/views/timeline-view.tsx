'use client';

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Session } from '../../lib/run/session-types';
import { chromeTraceChunks } from '../../lib/serving/chrome/chrome-trace';
import { turnsOf } from '../../lib/serving/program-turns';
import type { TimelineParams } from '../../lib/spec/kinds/views';
import { AXIS_HEIGHT, LANE_HEIGHT, type TimelineScene } from '../../lib/views/timeline/draw';
import { describeIteration, visibleCsv } from '../../lib/views/timeline/rows';
import { clampSpan, type Span } from '../../lib/views/timeline/span';
import type { ViewInput } from '../../lib/views/view-input';
import { saveBlob, saveText } from '../state/save';
import { AllReasons } from './all-reasons';
import { RequestPicker } from './request-picker';
import { TimelineCanvas } from './timeline-canvas';
import { Legend } from './timeline-legend';
import { TimelineMinimap } from './timeline-minimap';
import { AggregateTable, IterationTable } from './timeline-tables';
import { TimelineTools } from './timeline-tools';
import { TimelineWhy } from './timeline-why';
import { useTokens, useWidth } from './use-canvas';
import { useDelayed } from './use-delayed';
import { useRequestTrace } from './use-request-trace';
import { useSettled } from './use-settled';
import { keyOf, lanesNamed, useLanes, useNear, useRuns } from './use-timeline-runs';
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
  encode: '--encode',
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
  const all = useLanes(inputs);
  const [filter, setFilter] = useState('');
  const lanes = useMemo(() => lanesNamed(all, filter), [all, filter]);
  const runs = useRuns(inputs);
  const trace = useRequestTrace(session, keyOf(inputs));
  const { shown } = trace;
  const search = useRef<HTMLInputElement>(null);
  const focusSearch = useCallback(() => search.current?.focus(), []);
  const filterField = useRef<HTMLInputElement>(null);
  const focusFilter = useCallback(() => filterField.current?.focus(), []);
  const turns = useMemo(() => {
    const run = runs.find(({ id }) => id === shown?.runId);
    return run === undefined || shown === undefined ? [] : turnsOf(run.requests, shown.trace.id);
  }, [runs, shown]);
  const whole = useMemo<Span>(() => {
    const ends = all.map(({ index: { lane, count } }) =>
      count === 0
        ? 0
        : (lane.startSeconds[count - 1] as number) + (lane.durationSeconds[count - 1] as number),
    );
    return { start: 0, end: Math.max(1e-3, ...ends) };
  }, [all]);
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
        rowOf: new Map(
          lanes.flatMap(({ runId, lane }, row) => (runId === shown.runId ? [[lane, row]] : [])),
        ),
        turns,
      },
    }),
    [lanes, span, width, height, selection, cursor, shown, turns],
  );
  const chosen = cursor === undefined ? undefined : lanes[cursor.lane];
  const near = useNear(runs, chosen, cursor?.iteration);
  const area = useSettled(selection ?? span);
  const exportTrace = ({ id, result }: ViewInput) => {
    if (result?.output.kind !== 'serve') return;
    const traces = shown?.runId === id ? [shown.trace] : [];
    const meta = { cell: id, ...result.provenance };
    const chunks = [...chromeTraceChunks(result.output.value, meta, traces)];
    saveBlob(new Blob(chunks, { type: 'application/json' }), `${id}.trace.json`);
  };
  const exportPng = () =>
    canvas.current?.toBlob((blob) => blob !== null && saveBlob(blob, 'timeline.png'));
  return (
    <div ref={box}>
      <TimelineTools
        inputs={inputs}
        span={span}
        whole={whole}
        isTable={isTable}
        filter={filter}
        shownLanes={lanes.length}
        allLanes={all.length}
        filterField={filterField}
        onMove={move}
        onTable={setTable}
        onFilter={(text) => {
          setFilter(text);
          setCursor(undefined);
        }}
        onTrace={exportTrace}
        onPng={exportPng}
        onCsv={() => saveText(visibleCsv(lanes, span), 'iterations.csv', 'text/csv')}
      />
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
            onFilter={focusFilter}
          />
          <TimelineMinimap
            lanes={lanes}
            whole={whole}
            span={span}
            width={width}
            colors={colors}
            onMove={move}
          />
          <Legend lanes={lanes} />
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
      <AllReasons runs={runs} session={session} />
      {trace.problem !== undefined && (
        <p className={styles.note} role="alert">
          {trace.problem}
        </p>
      )}
      {shown !== undefined && (
        <TimelineWhy
          shown={shown}
          turns={turns}
          state={trace}
          whole={whole}
          isTable={isTable}
          onMove={move}
        />
      )}
      <AggregateTable lanes={lanes} span={area} isSelected={selection !== undefined} />
    </div>
  );
}
