import { scaleLinear } from 'd3-scale';
import { SHARE_UNIT } from '../../serving/lane-roles';
import type { TimelineLane } from '../../serving/types';
import { formatSeconds } from '../format';
import { drawPixels } from './draw-pixels';
import { drawTrace } from './draw-trace';
import { type LaneIndex, pixelEdges } from './lane-index';
import type { Span } from './span';
import type { PlacedTrace } from './trace-strip';

/** A lane where it stands on the canvas, in CSS pixels. */
export interface PlacedLane {
  readonly index: LaneIndex;
  readonly label: string;
  readonly top: number;
}

export interface TimelineColors {
  readonly ink: string;
  readonly inkSoft: string;
  readonly line: string;
  readonly idle: string;
  readonly prefill: string;
  readonly decode: string;
  readonly encode: string;
  readonly link: string;
  readonly queue: string;
  readonly accent: string;
  readonly stalled: string;
}

export interface TimelineScene {
  readonly lanes: readonly PlacedLane[];
  readonly span: Span;
  readonly width: number;
  readonly height: number;
  readonly selection: Span | undefined;
  readonly cursor: { readonly lane: number; readonly iteration: number } | undefined;
  /** One request's way across the lanes. */
  readonly trace?: PlacedTrace | undefined;
}

export const LANE_HEIGHT = 46;
export const BAR_TOP = 15;
export const BAR_HEIGHT = 15;
export const COUNTER_HEIGHT = 13;
export const AXIS_HEIGHT = 22;
const LEAST_BOX_PIXELS = 5;

/** Instant of a pixel and pixel of an instant. */
export const secondsAt = (x: number, { span, width }: Pick<TimelineScene, 'span' | 'width'>) =>
  span.start + (x / width) * (span.end - span.start);
export const pixelAt = (seconds: number, { span, width }: Pick<TimelineScene, 'span' | 'width'>) =>
  ((seconds - span.start) / (span.end - span.start)) * width;

/**
 * Draws the visible span. A pixel's colour mixes decode, prefill and idle by their exact shares of
 * its time, one texel per lane and pixel, stretched; iterations wide enough get an outline and text.
 */
export function drawTimeline(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  colors: TimelineColors,
): void {
  const { lanes, span, width, height } = scene;
  context.clearRect(0, 0, width, height);
  drawAxis(context, scene, colors);
  const pixels = Math.max(1, Math.floor(width));
  const edges = lanes.map(({ index }) => pixelEdges(index, span.start, span.end, pixels));
  drawPixels(context, scene, edges, colors);
  lanes.forEach((placed, l) => {
    const own = edges[l] as Int32Array;
    drawBoxes(context, scene, placed, own, colors);
    context.fillStyle = colors.ink;
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'alphabetic';
    context.fillText(placed.label, 2, placed.top + 11);
    if (scene.cursor?.lane === l)
      drawCursor(context, scene, placed, scene.cursor.iteration, colors);
  });
  if (scene.trace !== undefined) drawTrace(context, scene, scene.trace, colors);
  if (scene.selection !== undefined) {
    const left = pixelAt(scene.selection.start, scene);
    const right = pixelAt(scene.selection.end, scene);
    context.globalAlpha = 0.18;
    context.fillStyle = colors.accent;
    context.fillRect(left, 0, right - left, height);
    context.globalAlpha = 1;
  }
}

function drawAxis(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  colors: TimelineColors,
): void {
  const scale = scaleLinear([scene.span.start, scene.span.end], [0, scene.width]);
  context.fillStyle = colors.inkSoft;
  context.strokeStyle = colors.line;
  context.lineWidth = 1;
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'top';
  for (const tick of scale.ticks(Math.max(2, Math.floor(scene.width / 110)))) {
    const x = Math.round(scale(tick)) + 0.5;
    context.beginPath();
    context.moveTo(x, 14);
    context.lineTo(x, scene.height);
    context.stroke();
    context.fillText(formatSeconds(tick), x + 2, 2);
  }
}

const shareText = ({ prefillTokens, decodeTokens }: TimelineLane, i: number): string => {
  const percent = (column: Int32Array) => Math.round((100 * (column[i] ?? 0)) / SHARE_UNIT);
  return `${percent(prefillTokens)}+${percent(decodeTokens)} %`;
};

/** Outlines of iterations that are wide enough: at most one begins in a pixel, its longest. */
function drawBoxes(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  { index, top }: PlacedLane,
  edges: Int32Array,
  colors: TimelineColors,
): void {
  const { lane } = index;
  const first = edges[0] as number;
  const widest = index.longest.at(Math.max(0, first - 1), edges[edges.length - 1] as number);
  const perSecond = scene.width / (scene.span.end - scene.span.start);
  if (widest < 0 || (lane.durationSeconds[widest] as number) * perSecond < LEAST_BOX_PIXELS) return;
  context.strokeStyle = colors.ink;
  context.fillStyle = colors.ink;
  context.font = '10px system-ui, sans-serif';
  context.textBaseline = 'middle';
  const box = (i: number): void => {
    const start = lane.startSeconds[i] as number;
    const left = pixelAt(start, scene);
    const wide = (lane.durationSeconds[i] as number) * perSecond;
    if (wide < LEAST_BOX_PIXELS || left + wide < 0) return;
    context.globalAlpha = 0.5;
    if (lane.role !== 'share')
      context.strokeRect(left + 0.5, top + BAR_TOP + 0.5, wide - 1, BAR_HEIGHT - 1);
    if (wide <= 34) return;
    context.globalAlpha = 1;
    const prefill = lane.prefillTokens[i];
    const text =
      lane.role === 'link' || lane.role === 'encode'
        ? `${prefill}`
        : lane.role === 'share'
          ? shareText(lane, i)
          : `${prefill}+${lane.decodeTokens[i]}`;
    context.fillText(text, Math.max(left, 0) + 3, top + BAR_TOP + BAR_HEIGHT / 2, wide - 6);
  };
  if (first > 0) box(first - 1);
  for (let x = 0; x + 1 < edges.length; x++) {
    const from = edges[x] as number;
    const to = edges[x + 1] as number;
    if (to > from) box(index.longest.at(from, to));
  }
  context.globalAlpha = 1;
}

function drawCursor(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  { index, top }: PlacedLane,
  i: number,
  colors: TimelineColors,
): void {
  const start = index.lane.startSeconds[i];
  if (start === undefined) return;
  const left = pixelAt(start, scene);
  const right = pixelAt(start + (index.lane.durationSeconds[i] as number), scene);
  context.strokeStyle = colors.accent;
  context.lineWidth = 2;
  context.strokeRect(left - 1, top + BAR_TOP - 2, Math.max(3, right - left + 2), BAR_HEIGHT + 4);
  context.lineWidth = 1;
}
