'use client';

import { type PointerEvent, useEffect, useRef } from 'react';
import { pixelAt, secondsAt, type TimelineColors } from '../../lib/views/timeline/draw';
import { drawMinimap } from '../../lib/views/timeline/draw-minimap';
import type { LabelledLane } from '../../lib/views/timeline/rows';
import { clampSpan, type Span } from '../../lib/views/timeline/span';
import { preparedContext } from './use-canvas';
import styles from './views.module.css';

const HEIGHT = 26;

interface Props {
  readonly lanes: readonly LabelledLane[];
  readonly whole: Span;
  readonly span: Span;
  readonly width: number;
  readonly colors: TimelineColors | undefined;
  readonly onMove: (span: Span) => void;
}

/** The whole run in a strip, with the visible part framed. The frame is an element of its own: panning redraws nothing. */
export function TimelineMinimap({ lanes, whole, span, width, colors, onMove }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current === null || colors === undefined) return;
    const context = preparedContext(canvas.current, width, HEIGHT);
    if (context !== undefined) drawMinimap(context, lanes, whole, width, HEIGHT, colors);
  }, [lanes, whole, width, colors]);
  const centre = (event: PointerEvent<HTMLElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const seconds = secondsAt(x, { span: whole, width });
    const length = span.end - span.start;
    onMove(clampSpan({ start: seconds - length / 2, end: seconds + length / 2 }, whole));
  };
  const left = pixelAt(span.start, { span: whole, width });
  const right = pixelAt(span.end, { span: whole, width });
  return (
    <div
      className={styles.minimap}
      role="img"
      aria-label="overview of the whole run, the visible part framed"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        centre(event);
      }}
      onPointerMove={(event) => event.buttons > 0 && centre(event)}
    >
      <canvas ref={canvas} className={styles.canvas} style={{ height: HEIGHT }} />
      <span className={styles.frame} style={{ left, width: Math.max(4, right - left) }} />
    </div>
  );
}
