'use client';

import {
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  useEffect,
  useRef,
  useState,
} from 'react';
import {
  createMapDraw,
  elementAt,
  LEFT,
  type MapColors,
  type MapScene,
  TOP,
} from '../../lib/views/map/draw';
import {
  panViewport,
  touchedRect,
  type Viewport,
  zoomViewport,
} from '../../lib/views/map/viewport';
import { preparedContext } from './use-canvas';
import styles from './views.module.css';

interface Element {
  readonly query: number;
  readonly key: number;
}

interface Props {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  /** What to draw; without a base there is nothing yet. */
  readonly scene: Omit<MapScene, 'base'> & { readonly base: MapScene['base'] | undefined };
  readonly queries: number;
  readonly keys: number;
  readonly head: number;
  readonly colors: MapColors | undefined;
  readonly onMove: (view: Viewport) => void;
  readonly onRead: (element: Element) => void;
  readonly onCursor: (cursor: Element | undefined) => void;
}

const CLICK_PIXELS = 4;

/** The map itself: drag pans, ctrl and wheel zooms about the pointer, a click or the arrows set the cursor. */
export function MapCanvas(props: Props) {
  const { canvas, scene, queries, keys, head, colors, onMove, onRead, onCursor } = props;
  const { view, width, height, cursor } = scene;
  const drag = useRef<{ x: number; y: number; view: Viewport } | undefined>(undefined);
  const [draw] = useState(createMapDraw);

  useEffect(() => {
    const element = canvas.current;
    const { base } = scene;
    if (element === null || base === undefined || colors === undefined) return;
    const frame = requestAnimationFrame(() => {
      const context = preparedContext(element, scene.width, scene.height);
      if (context !== undefined) draw(context, { ...scene, base }, colors);
    });
    return () => cancelAnimationFrame(frame);
  }, [canvas, draw, scene, colors]);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { query, key } = elementAt(event.offsetX, event.offsetY, { view, width, height });
      onMove(zoomViewport(view, 1.0015 ** event.deltaY, query, key, queries, keys));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [canvas, view, width, height, queries, keys, onMove]);

  const elementUnder = (event: PointerEvent<HTMLCanvasElement>): Element | undefined => {
    const rect = event.currentTarget.getBoundingClientRect();
    const at = elementAt(event.clientX - rect.left, event.clientY - rect.top, scene);
    const query = Math.floor(at.query);
    const key = Math.floor(at.key);
    return query < 0 || key < 0 || query >= queries || key >= keys ? undefined : { query, key };
  };
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const start = drag.current;
    if (start === undefined) {
      const under = elementUnder(event);
      if (under !== undefined) onRead(under);
      return;
    }
    const { keyStart, keyEnd, queryStart, queryEnd } = start.view;
    const byKeys = ((start.x - event.clientX) / (width - LEFT)) * (keyEnd - keyStart);
    const byQueries = ((start.y - event.clientY) / (height - TOP)) * (queryEnd - queryStart);
    onMove(panViewport(start.view, byQueries, byKeys, queries, keys));
  };
  const setCursor = (query: number, key: number) => {
    const next = {
      query: Math.max(0, Math.min(queries - 1, query)),
      key: Math.max(0, Math.min(keys - 1, key)),
    };
    onCursor(next);
    onRead(next);
    const isVisible =
      next.query >= view.queryStart &&
      next.query < view.queryEnd &&
      next.key >= view.keyStart &&
      next.key < view.keyEnd;
    if (isVisible) return;
    const byQueries = next.query - (view.queryStart + view.queryEnd) / 2;
    const byKeys = next.key - (view.keyStart + view.keyEnd) / 2;
    onMove(panViewport(view, byQueries, byKeys, queries, keys));
  };
  const onPointerUp = (event: PointerEvent<HTMLCanvasElement>) => {
    const start = drag.current;
    drag.current = undefined;
    const under = elementUnder(event);
    if (start === undefined || under === undefined) return;
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) < CLICK_PIXELS)
      setCursor(under.query, under.key);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { query, key } = cursor ?? {
      query: Math.floor((view.queryStart + view.queryEnd) / 2),
      key: Math.floor((view.keyStart + view.keyEnd) / 2),
    };
    const step = event.shiftKey ? 16 : 1;
    const zoom = (factor: number) => onMove(zoomViewport(view, factor, query, key, queries, keys));
    const acts: Readonly<Record<string, () => void>> = {
      ArrowUp: () => setCursor(query - step, key),
      ArrowDown: () => setCursor(query + step, key),
      ArrowLeft: () => setCursor(query, key - step),
      ArrowRight: () => setCursor(query, key + step),
      Home: () => setCursor(query, 0),
      End: () => setCursor(query, keys - 1),
      '+': () => zoom(0.6),
      '=': () => zoom(0.6),
      '-': () => zoom(1 / 0.6),
      '0': () => onMove({ queryStart: 0, queryEnd: queries, keyStart: 0, keyEnd: keys }),
      Escape: () => onCursor(undefined),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const shown = touchedRect(view, queries, keys);
  return (
    <div
      role="application"
      aria-label={`Attention map, head ${head}, queries ${shown.queryStart} to ${shown.queryEnd - 1}, keys ${shown.keyStart} to ${shown.keyEnd - 1}. Arrows move the cursor, plus and minus zoom, 0 shows everything.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application with a cursor of its own
      tabIndex={0}
      onKeyDown={onKeyDown}
      style={{ maxWidth: width }}
    >
      <canvas
        ref={canvas}
        className={styles.canvas}
        style={{ height }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, y: event.clientY, view };
        }}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
      />
    </div>
  );
}
