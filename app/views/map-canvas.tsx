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
  type MapColors,
  type MapElement,
  type MapScene,
} from '../../lib/views/map/draw';
import { elementAt, pixelsPer } from '../../lib/views/map/frame';
import {
  panViewport,
  touchedRect,
  type Viewport,
  zoomViewport,
} from '../../lib/views/map/viewport';
import { preparedContext } from './use-canvas';
import styles from './views.module.css';

interface Props {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  /** What to draw; without a layer there is nothing yet, and what was drawn stays. */
  readonly scene: Omit<MapScene, 'layer'> & { readonly layer: MapScene['layer'] | undefined };
  /** What the map is of, for its name. */
  readonly subject: string;
  readonly colors: MapColors | undefined;
  readonly onMove: (view: Viewport) => void;
  readonly onRead: (element: MapElement) => void;
  readonly onHover: (element: MapElement | undefined) => void;
  readonly onCursor: (cursor: MapElement | undefined) => void;
}

const CLICK_PIXELS = 4;

/** The map itself: drag pans, ctrl and wheel zooms about the pointer, a click or the arrows set the cursor. */
export function MapCanvas(props: Props) {
  const { canvas, scene, subject, colors, onMove, onRead, onHover, onCursor } = props;
  const { view, queries, keys, frame, width, height, cursor } = scene;
  const drag = useRef<{ x: number; y: number; view: Viewport } | undefined>(undefined);
  const [draw] = useState(createMapDraw);

  useEffect(() => {
    const element = canvas.current;
    const { layer } = scene;
    if (element === null || layer === undefined || colors === undefined) return;
    const request = requestAnimationFrame(() => {
      const context = preparedContext(element, scene.width, scene.height);
      if (context !== undefined) draw(context, { ...scene, layer }, colors);
    });
    return () => cancelAnimationFrame(request);
  }, [canvas, draw, scene, colors]);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { query, key } = elementAt(event.offsetX, event.offsetY, frame, view);
      onMove(zoomViewport(view, 1.0015 ** event.deltaY, query, key, queries, keys));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [canvas, view, frame, queries, keys, onMove]);

  const elementUnder = (event: PointerEvent<HTMLCanvasElement>): MapElement | undefined => {
    const rect = event.currentTarget.getBoundingClientRect();
    const { left, top } = rect;
    const at = elementAt(event.clientX - left, event.clientY - top, frame, view);
    const isInside =
      at.query >= view.queryStart &&
      at.query < view.queryEnd &&
      at.key >= view.keyStart &&
      at.key < view.keyEnd;
    return isInside ? { query: Math.floor(at.query), key: Math.floor(at.key) } : undefined;
  };
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const start = drag.current;
    if (start === undefined) {
      const under = elementUnder(event);
      onHover(under);
      if (under !== undefined) onRead(under);
      return;
    }
    const { perKey, perQuery } = pixelsPer(frame, start.view);
    const byKeys = (start.x - event.clientX) / perKey;
    const byQueries = (start.y - event.clientY) / perQuery;
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
      aria-label={`${subject}, queries ${shown.queryStart} to ${shown.queryEnd - 1}, keys ${shown.keyStart} to ${shown.keyEnd - 1}. Arrows move the cursor, plus and minus zoom, 0 shows everything.`}
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
        onPointerLeave={() => onHover(undefined)}
      />
    </div>
  );
}
