'use client';

import {
  type KeyboardEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { chromeTraceChunks } from '../../lib/serving/chrome-trace';
import type { TimelineParams } from '../../lib/spec/kinds/views';
import { formatCount, formatPercent, formatSeconds } from '../../lib/views/format';
import {
  AXIS_HEIGHT,
  drawTimeline,
  LANE_HEIGHT,
  pixelAt,
  secondsAt,
  type TimelineScene,
} from '../../lib/views/timeline/draw';
import {
  aggregateLane,
  firstStartAtOrAfter,
  indexLane,
  iterationAt,
  queryLane,
} from '../../lib/views/timeline/lane-index';
import { clampSpan, panSpan, type Span, zoomSpan } from '../../lib/views/timeline/span';
import type { ViewInput } from '../../lib/views/view-input';
import { saveBlob, saveText } from '../state/save';
import { preparedContext, readTokens, useThemeVersion, useWidth } from './use-canvas';
import styles from './views.module.css';

interface Props {
  readonly params: TimelineParams;
  readonly inputs: readonly ViewInput[];
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
};
const MINIMAP_HEIGHT = 26;
const REPORT_MILLISECONDS = 300;
const TABLE_ROWS = 200;

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

function Timeline({ params, inputs, onParamsChange }: Props) {
  const key = inputs.map(({ id, result }) => `${id} ${result?.provenance.specHash}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` names the results; the arrays are new on every render
  const lanes = useMemo(
    () =>
      inputs.flatMap(({ id, result }) =>
        result?.output.kind === 'serve'
          ? result.output.value.lanes.map((lane) => ({
              run: id,
              label: `${id}: ${lane.label}`,
              index: indexLane(lane),
            }))
          : [],
      ),
    [key],
  );
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
  const [cursor, setCursor] = useState<{ lane: number; iteration: number }>();
  const [isTable, setTable] = useState(false);
  const [hover, setHover] = useState('');
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const minimap = useRef<HTMLCanvasElement>(null);
  const drag = useRef<{ x: number; span: Span; isPan: boolean } | undefined>(undefined);
  const width = useWidth(box, 900);
  const theme = useThemeVersion();
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

  const report = useRef<ReturnType<typeof setTimeout>>(undefined);
  const move = useCallback(
    (next: Span) => {
      setSpan(next);
      clearTimeout(report.current);
      report.current = setTimeout(() => {
        const isWhole = next.start <= whole.start && next.end >= whole.end;
        onParamsChange(
          isWhole
            ? {}
            : {
                startSeconds: Number(next.start.toPrecision(9)),
                endSeconds: Number(next.end.toPrecision(9)),
              },
        );
      }, REPORT_MILLISECONDS);
    },
    [onParamsChange, whole],
  );
  useEffect(() => () => clearTimeout(report.current), []);

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
    }),
    [lanes, span, width, height, selection, cursor],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: `theme` changes what the tokens read as; `isTable` remounts the canvas
  useEffect(() => {
    const element = canvas.current;
    const host = box.current;
    if (element === null || host === null) return;
    const frame = requestAnimationFrame(() => {
      const context = preparedContext(element, width, height);
      if (context !== undefined) drawTimeline(context, scene, readTokens(host, COLORS));
    });
    return () => cancelAnimationFrame(frame);
  }, [scene, theme, width, height, isTable]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    const element = minimap.current;
    const host = box.current;
    const context = element === null ? undefined : preparedContext(element, width, MINIMAP_HEIGHT);
    if (context === undefined || host === null) return;
    const colors = readTokens(host, COLORS);
    const each = MINIMAP_HEIGHT / Math.max(1, lanes.length);
    lanes.forEach(({ index }, l) => {
      const { busy, prefillShare } = queryLane(index, whole.start, whole.end, width);
      for (let x = 0; x < width; x++) {
        context.globalAlpha = busy[x] as number;
        context.fillStyle =
          index.lane.role === 'link'
            ? colors.link
            : (prefillShare[x] as number) > 0.5
              ? colors.prefill
              : colors.decode;
        context.fillRect(x, l * each, 1, Math.max(1, each - 1));
      }
    });
    context.globalAlpha = 1;
    context.strokeStyle = colors.accent;
    context.lineWidth = 2;
    const left = pixelAt(span.start, { span: whole, width });
    context.strokeRect(
      left + 1,
      1,
      Math.max(4, pixelAt(span.end, { span: whole, width }) - left - 2),
      MINIMAP_HEIGHT - 2,
    );
  }, [lanes, whole, span, width, theme, isTable]);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    // A plain wheel scrolls the page, since notebooks are long; React's own handler could not prevent the zoom.
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      move(
        zoomSpan(span, 1.0015 ** event.deltaY, secondsAt(event.offsetX, { span, width }), whole),
      );
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [span, width, whole, move]);

  const describe = useCallback(
    (laneAt: number, i: number): string => {
      const entry = lanes[laneAt];
      if (entry === undefined || i < 0 || i >= entry.index.count) return '';
      const { lane } = entry.index;
      const duration = formatSeconds(lane.durationSeconds[i] as number);
      const start = formatSeconds(lane.startSeconds[i] as number);
      if (lane.role === 'link')
        return `${entry.label}, transfer ${i}, at ${start}, ${duration}, ${lane.prefillTokens[i]} tokens of KV`;
      const kv = formatPercent((lane.kvBlocksUsed[i] as number) / lane.kvBlocksTotal);
      return `${entry.label}, iteration ${i}, at ${start}, ${duration}, ${lane.prefillTokens[i]} prefill tokens, ${lane.decodeTokens[i]} decodes, queue ${lane.queueLength[i]}, KV ${kv}`;
    },
    [lanes],
  );

  const at = (event: PointerEvent<HTMLCanvasElement>) => {
    const rect = event.currentTarget.getBoundingClientRect();
    return {
      x: event.clientX - rect.left,
      lane: Math.floor((event.clientY - rect.top - AXIS_HEIGHT) / LANE_HEIGHT),
    };
  };
  const onPointerDown = (event: PointerEvent<HTMLCanvasElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { x: at(event).x, span, isPan: event.shiftKey };
  };
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const { x, lane } = at(event);
    const start = drag.current;
    if (start === undefined) {
      const entry = lanes[lane];
      const seconds = secondsAt(x, scene);
      const i = entry === undefined ? -1 : iterationAt(entry.index, seconds);
      setHover(
        entry === undefined
          ? ''
          : i < 0
            ? `${entry.label}, idle at ${formatSeconds(seconds)}`
            : describe(lane, i),
      );
    } else if (start.isPan) {
      move(
        panSpan(start.span, ((start.x - x) / width) * (start.span.end - start.span.start), whole),
      );
    } else if (Math.abs(x - start.x) > 3) {
      const [a, b] = [secondsAt(start.x, scene), secondsAt(x, scene)];
      setSelection({ start: Math.min(a, b), end: Math.max(a, b) });
    }
  };
  const onPointerUp = (event: PointerEvent<HTMLCanvasElement>) => {
    const { x, lane } = at(event);
    if (drag.current !== undefined && Math.abs(x - drag.current.x) <= 3) {
      setSelection(undefined);
      const entry = lanes[lane];
      const iteration = entry === undefined ? -1 : iterationAt(entry.index, secondsAt(x, scene));
      setCursor(iteration < 0 ? undefined : { lane, iteration });
    }
    drag.current = undefined;
  };
  const goTo = (lane: number, iteration: number) => {
    const entry = lanes[lane];
    if (entry === undefined || entry.index.count === 0) return;
    const i = Math.max(0, Math.min(entry.index.count - 1, iteration));
    setCursor({ lane, iteration: i });
    const start = entry.index.lane.startSeconds[i] as number;
    if (start < span.start || start > span.end)
      move(
        clampSpan(
          { start: start - (span.end - span.start) / 2, end: start + (span.end - span.start) / 2 },
          whole,
        ),
      );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = (span.start + span.end) / 2;
    const length = span.end - span.start;
    const lane = cursor?.lane ?? 0;
    const iteration =
      cursor?.iteration ??
      firstStartAtOrAfter(
        lanes[lane]?.index.lane.startSeconds ?? new Float64Array(),
        lanes[lane]?.index.count ?? 0,
        span.start,
      ) - 1;
    const step = (to: number) => {
      const entry = lanes[to];
      const from = lanes[lane]?.index.lane.startSeconds[Math.max(0, iteration)] ?? span.start;
      if (entry !== undefined)
        goTo(to, firstStartAtOrAfter(entry.index.lane.startSeconds, entry.index.count, from));
    };
    const acts = new Map<string, () => void>([
      ['KeyW', () => move(zoomSpan(span, 0.7, middle, whole))],
      ['KeyS', () => move(zoomSpan(span, 1 / 0.7, middle, whole))],
      ['KeyA', () => move(panSpan(span, -length / 5, whole))],
      ['KeyD', () => move(panSpan(span, length / 5, whole))],
      ['Digit0', () => move(whole)],
      ['KeyF', () => selection !== undefined && move(clampSpan(selection, whole))],
      ['Comma', () => goTo(lane, iteration - 1)],
      ['Period', () => goTo(lane, iteration + 1)],
      ['ArrowUp', () => step(Math.max(0, lane - 1))],
      ['ArrowDown', () => step(Math.min(lanes.length - 1, lane + 1))],
      ['ArrowLeft', () => goTo(lane, iteration - 1)],
      ['ArrowRight', () => goTo(lane, iteration + 1)],
      ['Equal', () => move(zoomSpan(span, 0.7, middle, whole))],
      ['Minus', () => move(zoomSpan(span, 1 / 0.7, middle, whole))],
      [
        'Escape',
        () => {
          setSelection(undefined);
          setCursor(undefined);
        },
      ],
    ]);
    const act = acts.get(event.code);
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const exportTrace = ({ id, result }: ViewInput) => {
    if (result?.output.kind !== 'serve') return;
    const chunks = [...chromeTraceChunks(result.output.value, { cell: id, ...result.provenance })];
    saveBlob(new Blob(chunks, { type: 'application/json' }), `${id}.trace.json`);
  };
  const area = selection ?? span;
  return (
    <div ref={box}>
      <div className={styles.tools}>
        <button
          type="button"
          onClick={() => move(zoomSpan(span, 0.5, (span.start + span.end) / 2, whole))}
        >
          Zoom in
        </button>
        <button
          type="button"
          onClick={() => move(zoomSpan(span, 2, (span.start + span.end) / 2, whole))}
        >
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
        <button
          type="button"
          onClick={() =>
            canvas.current?.toBlob((blob) => blob !== null && saveBlob(blob, 'timeline.png'))
          }
        >
          PNG
        </button>
        <button
          type="button"
          onClick={() => saveText(visibleCsv(lanes, span), 'iterations.csv', 'text/csv')}
        >
          CSV
        </button>
      </div>
      {!isTable && (
        <>
          <div
            role="application"
            aria-label={`Timeline of ${lanes.length} lanes, simulated, ${formatSeconds(span.start)} to ${formatSeconds(span.end)}. W and S zoom, A and D pan, comma and period step, up and down change lane.`}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: an application with a cursor of its own
            tabIndex={0}
            onKeyDown={onKeyDown}
          >
            <canvas
              ref={canvas}
              className={styles.canvas}
              style={{ width, height }}
              onPointerDown={onPointerDown}
              onPointerMove={onPointerMove}
              onPointerUp={onPointerUp}
              onPointerLeave={() => setHover('')}
            />
          </div>
          <canvas
            ref={minimap}
            className={styles.canvas}
            style={{ width, height: MINIMAP_HEIGHT }}
            aria-label="overview of the whole run; drag to move the visible part"
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              centre(event);
            }}
            onPointerMove={(event) => event.buttons > 0 && centre(event)}
          />
          <ul className={styles.legend}>
            <li>
              <span className={styles.swatch} data-role="prefill" />
              prefill
            </li>
            <li>
              <span className={styles.swatch} data-role="decode" />
              decode
            </li>
            <li>
              <span className={styles.swatch} data-role="link" />
              KV transfer
            </li>
            <li>bars below: queue length; line: KV use</li>
            <li>boxes: prefill tokens + decodes</li>
          </ul>
          <p className={styles.readout}>{hover}</p>
          <p className={styles.readout} aria-live="polite" data-testid="timeline-cursor">
            {cursor === undefined ? '' : describe(cursor.lane, cursor.iteration)}
          </p>
        </>
      )}
      {isTable && <IterationTable lanes={lanes} span={span} />}
      <section className={styles.scroll} aria-label="aggregates">
        <table>
          <caption className={styles.note}>
            {selection === undefined ? 'visible' : 'selected'}: {formatSeconds(area.start)} to{' '}
            {formatSeconds(area.end)}, simulated
          </caption>
          <thead>
            <tr>
              {[
                'lane',
                'iterations',
                'busy',
                'prefill tokens',
                'decode tokens',
                'mean iteration',
                'queue max',
                'KV max',
              ].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lanes.map(({ label, index }) => {
              const sum = aggregateLane(index, area.start, area.end);
              return (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  <td>{formatCount(sum.iterations)}</td>
                  <td>{formatPercent(sum.busyFraction)}</td>
                  <td>{formatCount(sum.prefillTokens)}</td>
                  <td>{formatCount(sum.decodeTokens)}</td>
                  <td>{formatSeconds(sum.meanIterationSeconds)}</td>
                  <td>{sum.maxQueue}</td>
                  <td>{formatPercent(sum.maxKvShare)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </div>
  );

  function centre(event: PointerEvent<HTMLCanvasElement>): void {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const seconds = secondsAt(x, { span: whole, width });
    const length = span.end - span.start;
    move(clampSpan({ start: seconds - length / 2, end: seconds + length / 2 }, whole));
  }
}

type Lane = { readonly label: string; readonly index: ReturnType<typeof indexLane> };

function* visibleRows(lanes: readonly Lane[], span: Span, limit: number) {
  let left = limit;
  for (const { label, index } of lanes) {
    const { lane, count } = index;
    for (
      let i = firstStartAtOrAfter(lane.startSeconds, count, span.start);
      i < count && (lane.startSeconds[i] as number) < span.end;
      i++
    ) {
      if (left-- === 0) return;
      yield { label, lane, i };
    }
  }
}

function visibleCsv(lanes: readonly Lane[], span: Span): string {
  const rows = [
    'lane,iteration,start_s,duration_s,prefill_tokens,decode_tokens,batch_size,queue_length,kv_blocks',
  ];
  for (const { label, lane, i } of visibleRows(lanes, span, 1_000_000)) {
    rows.push(
      [
        `"${label}"`,
        i,
        lane.startSeconds[i],
        lane.durationSeconds[i],
        lane.prefillTokens[i],
        lane.decodeTokens[i],
        lane.batchSize[i],
        lane.queueLength[i],
        lane.kvBlocksUsed[i],
      ].join(','),
    );
  }
  return `${rows.join('\r\n')}\r\n`;
}

function IterationTable({ lanes, span }: { readonly lanes: readonly Lane[]; readonly span: Span }) {
  return (
    <div className={styles.scroll}>
      <table>
        <caption className={styles.note}>the first {TABLE_ROWS} visible iterations</caption>
        <thead>
          <tr>
            {[
              'lane',
              'iteration',
              'start',
              'duration',
              'prefill tokens',
              'decodes',
              'queue',
              'KV blocks',
            ].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
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
