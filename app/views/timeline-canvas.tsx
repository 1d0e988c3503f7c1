'use client';

import { type KeyboardEvent, type PointerEvent, type RefObject, useEffect, useRef } from 'react';
import { formatSeconds } from '../../lib/views/format';
import {
  AXIS_HEIGHT,
  drawTimeline,
  LANE_HEIGHT,
  secondsAt,
  type TimelineColors,
  type TimelineScene,
} from '../../lib/views/timeline/draw';
import { firstStartAtOrAfter, iterationAt } from '../../lib/views/timeline/lane-index';
import { describePixel } from '../../lib/views/timeline/rows';
import { clampSpan, panSpan, type Span, zoomSpan } from '../../lib/views/timeline/span';
import { preparedContext } from './use-canvas';
import styles from './views.module.css';

interface Props {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly scene: TimelineScene;
  readonly whole: Span;
  readonly colors: TimelineColors | undefined;
  readonly onMove: (span: Span) => void;
  readonly onSelect: (selection: Span | undefined) => void;
  readonly onCursor: (cursor: TimelineScene['cursor']) => void;
  readonly onHover: (text: string) => void;
  /** The slash key: on to the field that finds a request. */
  readonly onSearch: () => void;
  /** The L key: on to the field that finds lanes. */
  readonly onFilter: () => void;
}

/** Closer than this to where it began, a press is a click. */
const CLICK_PIXELS = 3;

/** The lanes: drag selects, shift and drag pans, a click or the keyboard sets the cursor. */
export function TimelineCanvas(props: Props) {
  const { canvas, scene, whole, colors, onMove, onSelect, onCursor, onHover, onSearch, onFilter } =
    props;
  const { lanes, span, width, height, selection, cursor } = scene;
  const drag = useRef<{ x: number; span: Span; isPan: boolean } | undefined>(undefined);

  useEffect(() => {
    const element = canvas.current;
    if (element === null || colors === undefined) return;
    const frame = requestAnimationFrame(() => {
      const context = preparedContext(element, width, height);
      if (context !== undefined) drawTimeline(context, scene, colors);
    });
    return () => cancelAnimationFrame(frame);
  }, [canvas, scene, colors, width, height]);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    // A plain wheel scrolls the page, since notebooks are long; React's own handler could not prevent the zoom.
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      onMove(
        zoomSpan(span, 1.0015 ** event.deltaY, secondsAt(event.offsetX, { span, width }), whole),
      );
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [canvas, span, width, whole, onMove]);

  const at = (event: PointerEvent<HTMLCanvasElement>) => {
    const rect = event.currentTarget.getBoundingClientRect();
    return {
      x: event.clientX - rect.left,
      lane: Math.floor((event.clientY - rect.top - AXIS_HEIGHT) / LANE_HEIGHT),
    };
  };
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const { x, lane } = at(event);
    const start = drag.current;
    if (start === undefined) {
      const entry = lanes[lane];
      if (entry === undefined) return onHover('');
      onHover(describePixel(entry, secondsAt(x, scene), secondsAt(x + 1, scene)));
    } else if (start.isPan) {
      const seconds = ((start.x - x) / width) * (start.span.end - start.span.start);
      onMove(panSpan(start.span, seconds, whole));
    } else if (Math.abs(x - start.x) > CLICK_PIXELS) {
      const [a, b] = [secondsAt(start.x, scene), secondsAt(x, scene)];
      onSelect({ start: Math.min(a, b), end: Math.max(a, b) });
    }
  };
  const onPointerUp = (event: PointerEvent<HTMLCanvasElement>) => {
    const { x, lane } = at(event);
    if (drag.current !== undefined && Math.abs(x - drag.current.x) <= CLICK_PIXELS) {
      onSelect(undefined);
      const entry = lanes[lane];
      const iteration = entry === undefined ? -1 : iterationAt(entry.index, secondsAt(x, scene));
      onCursor(iteration < 0 ? undefined : { lane, iteration });
    }
    drag.current = undefined;
  };

  const goTo = (lane: number, iteration: number) => {
    const entry = lanes[lane];
    if (entry === undefined || entry.index.count === 0) return;
    const i = Math.max(0, Math.min(entry.index.count - 1, iteration));
    onCursor({ lane, iteration: i });
    const start = entry.index.lane.startSeconds[i] as number;
    if (start >= span.start && start <= span.end) return;
    const half = (span.end - span.start) / 2;
    onMove(clampSpan({ start: start - half, end: start + half }, whole));
  };
  /** Grows or shrinks the selected area by one iteration from the cursor. */
  const extend = (by: -1 | 1) => {
    const entry = lanes[cursor?.lane ?? 0];
    if (entry === undefined || entry.index.count === 0) return;
    const { startSeconds, durationSeconds } = entry.index.lane;
    const from = cursor?.iteration ?? 0;
    const to = Math.max(0, Math.min(entry.index.count - 1, from + by));
    const endOf = (i: number) => (startSeconds[i] as number) + (durationSeconds[i] as number);
    const { start, end } = selection ?? { start: startSeconds[from] as number, end: endOf(from) };
    // The side that the cursor is on moves.
    const isEnd = endOf(from) >= (start + end) / 2;
    const next = isEnd
      ? { start, end: Math.max(start, endOf(to)) }
      : { start: Math.min(end, startSeconds[to] as number), end };
    onSelect(next);
    goTo(cursor?.lane ?? 0, to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const middle = (span.start + span.end) / 2;
    const length = span.end - span.start;
    const lane = cursor?.lane ?? 0;
    const { index } = lanes[lane] ?? {};
    const iteration =
      cursor?.iteration ??
      (index === undefined
        ? -1
        : firstStartAtOrAfter(index.lane.startSeconds, index.count, span.start) - 1);
    const step = (to: number) => {
      const entry = lanes[to];
      const from = index?.lane.startSeconds[Math.max(0, iteration)] ?? span.start;
      if (entry !== undefined)
        goTo(to, firstStartAtOrAfter(entry.index.lane.startSeconds, entry.index.count, from));
    };
    const acts: Readonly<Record<string, () => void>> = {
      KeyW: () => onMove(zoomSpan(span, 0.7, middle, whole)),
      KeyS: () => onMove(zoomSpan(span, 1 / 0.7, middle, whole)),
      KeyA: () => onMove(panSpan(span, -length / 5, whole)),
      KeyD: () => onMove(panSpan(span, length / 5, whole)),
      Equal: () => onMove(zoomSpan(span, 0.7, middle, whole)),
      Minus: () => onMove(zoomSpan(span, 1 / 0.7, middle, whole)),
      Digit0: () => onMove(whole),
      KeyF: () => selection !== undefined && onMove(clampSpan(selection, whole)),
      Comma: () => goTo(lane, iteration - 1),
      Period: () => goTo(lane, iteration + 1),
      ArrowLeft: () => goTo(lane, iteration - 1),
      ArrowRight: () => goTo(lane, iteration + 1),
      ArrowUp: () => step(Math.max(0, lane - 1)),
      ArrowDown: () => step(Math.min(lanes.length - 1, lane + 1)),
      Slash: onSearch,
      KeyL: onFilter,
      Escape: () => {
        onSelect(undefined);
        onCursor(undefined);
      },
    };
    const areas: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => extend(-1),
      ArrowRight: () => extend(1),
    };
    const act = (event.shiftKey ? areas[event.code] : undefined) ?? acts[event.code];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  return (
    <div
      role="application"
      aria-label={`Timeline of ${lanes.length} lanes, simulated, ${formatSeconds(span.start)} to ${formatSeconds(span.end)}. W and S zoom, A and D pan, comma and period step, up and down change lane, shift with left or right selects an area, slash finds a request, L finds lanes.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application with a cursor of its own
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <canvas
        ref={canvas}
        className={styles.canvas}
        style={{ height }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: at(event).x, span, isPan: event.shiftKey };
        }}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerLeave={() => onHover('')}
      />
    </div>
  );
}
