import { scaleLinear } from 'd3-scale';
import { formatSeconds } from '../format';
import { rgbOf } from '../rgb';
import { drawTrace } from './draw-trace';
import { type LaneIndex, maxPerPixel, pixelEdges, queryLane } from './lane-index';
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
const COUNTER_HEIGHT = 13;
export const AXIS_HEIGHT = 22;
const LEAST_BOX_PIXELS = 5;

/** Instant of a pixel and pixel of an instant. */
export const secondsAt = (x: number, { span, width }: Pick<TimelineScene, 'span' | 'width'>) =>
  span.start + (x / width) * (span.end - span.start);
export const pixelAt = (seconds: number, { span, width }: Pick<TimelineScene, 'span' | 'width'>) =>
  ((seconds - span.start) / (span.end - span.start)) * width;

/** One texel per pixel of every lane, kept between frames: a frame allocates nothing of its size. */
interface Texels {
  readonly canvas: OffscreenCanvas;
  readonly context: OffscreenCanvasRenderingContext2D | null;
  readonly image: ImageData;
}
let kept: Texels | undefined;

function texels(pixels: number, lanes: number): Texels {
  if (kept?.canvas.width === pixels && kept.canvas.height === lanes) return kept;
  const canvas = new OffscreenCanvas(pixels, lanes);
  kept = { canvas, context: canvas.getContext('2d'), image: new ImageData(pixels, lanes) };
  return kept;
}

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
  drawShares(context, scene, edges, colors);
  lanes.forEach((placed, l) => {
    const own = edges[l] as Int32Array;
    drawBoxes(context, scene, placed, own, colors);
    if (placed.index.lane.role !== 'link') drawCounters(context, placed, own, colors);
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

/** The bars of all lanes: texels, stretched to the height of a bar. */
function drawShares(
  context: CanvasRenderingContext2D,
  { lanes, span }: TimelineScene,
  edges: readonly Int32Array[],
  colors: TimelineColors,
): void {
  if (lanes.length === 0) return;
  const pixels = (edges[0] as Int32Array).length - 1;
  const { canvas, context: small, image } = texels(pixels, lanes.length);
  const idle = rgbOf(colors.idle);
  const prefill = rgbOf(colors.prefill);
  const { data } = image;
  lanes.forEach(({ index }, l) => {
    const isLink = index.lane.role === 'link';
    const hot = rgbOf(isLink ? colors.link : colors.decode);
    const { busy, prefillShare } = queryLane(index, span.start, span.end, pixels, edges[l]);
    let at = 4 * l * pixels;
    for (let x = 0; x < pixels; x++, at += 4) {
      const b = busy[x] as number;
      const share = isLink ? 0 : (prefillShare[x] as number);
      for (let c = 0; c < 3; c++) {
        const color = (hot[c] as number) * (1 - share) + (prefill[c] as number) * share;
        data[at + c] = color * b + (idle[c] as number) * (1 - b);
      }
      data[at + 3] = 255;
    }
  });
  small?.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  lanes.forEach(({ top }, l) => {
    context.drawImage(canvas, 0, l, pixels, 1, 0, top + BAR_TOP, pixels, BAR_HEIGHT);
  });
}

/** The whole run, one strip per lane: busy time in the colour of what it was mostly spent on. */
export function drawMinimap(
  context: CanvasRenderingContext2D,
  lanes: readonly { readonly index: LaneIndex }[],
  whole: Span,
  width: number,
  height: number,
  colors: TimelineColors,
): void {
  const each = height / Math.max(1, lanes.length);
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
    context.strokeRect(left + 0.5, top + BAR_TOP + 0.5, wide - 1, BAR_HEIGHT - 1);
    if (wide <= 34) return;
    context.globalAlpha = 1;
    const prefill = lane.prefillTokens[i];
    const text = lane.role === 'link' ? `${prefill}` : `${prefill}+${lane.decodeTokens[i]}`;
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

/** Queue length as steps in its own colour, KV use as a thin line over it. */
function drawCounters(
  context: CanvasRenderingContext2D,
  { index, top }: PlacedLane,
  edges: Int32Array,
  colors: TimelineColors,
): void {
  const { lane } = index;
  const pixels = edges.length - 1;
  const bottom = top + BAR_TOP + BAR_HEIGHT + 2 + COUNTER_HEIGHT;
  const queue = maxPerPixel(index, lane.queueLength, index.fullestQueue, edges);
  const kv = maxPerPixel(index, lane.kvBlocksUsed, index.fullestKv, edges);
  let largest = 8;
  for (const each of queue) if (each > largest) largest = each;
  context.fillStyle = colors.queue;
  context.beginPath();
  for (let x = 0; x < pixels; x++) {
    const y = ((queue[x] as number) / largest) * COUNTER_HEIGHT;
    if (y > 0) context.rect(x, bottom - y, 1, y);
  }
  context.fill();
  context.strokeStyle = colors.inkSoft;
  context.beginPath();
  for (let x = 0; x < pixels; x++) {
    const y = bottom - ((kv[x] as number) / Math.max(1, lane.kvBlocksTotal)) * COUNTER_HEIGHT;
    if (x === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.stroke();
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
