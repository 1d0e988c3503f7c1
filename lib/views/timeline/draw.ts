import { scaleLinear } from 'd3-scale';
import { formatSeconds } from '../format';
import { rgbOf } from '../rgb';
import { firstStartAtOrAfter, type LaneIndex, maxPerPixel, queryLane } from './lane-index';
import type { Span } from './span';

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
}

export interface TimelineScene {
  readonly lanes: readonly PlacedLane[];
  readonly span: Span;
  readonly width: number;
  readonly height: number;
  readonly selection: Span | undefined;
  readonly cursor: { readonly lane: number; readonly iteration: number } | undefined;
}

export const LANE_HEIGHT = 46;
const BAR_TOP = 15;
const BAR_HEIGHT = 15;
const COUNTER_HEIGHT = 13;
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
  const palette = {
    idle: rgbOf(colors.idle),
    prefill: rgbOf(colors.prefill),
    decode: rgbOf(colors.decode),
    link: rgbOf(colors.link),
  };
  const pixels = Math.max(1, Math.floor(width));
  const row = new ImageData(pixels, 1);
  const texel = new OffscreenCanvas(pixels, 1);
  const texelContext = texel.getContext('2d');
  lanes.forEach((placed, l) => {
    const { index, top } = placed;
    const { busy, prefillShare } = queryLane(index, span.start, span.end, pixels);
    const isLink = index.lane.role === 'link';
    for (let x = 0; x < pixels; x++) {
      const b = busy[x] as number;
      const share = prefillShare[x] as number;
      for (let c = 0; c < 3; c++) {
        const hot = isLink
          ? (palette.link[c] as number)
          : (palette.decode[c] as number) * (1 - share) + (palette.prefill[c] as number) * share;
        row.data[4 * x + c] = hot * b + (palette.idle[c] as number) * (1 - b);
      }
      row.data[4 * x + 3] = 255;
    }
    texelContext?.putImageData(row, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(texel, 0, 0, pixels, 1, 0, top + BAR_TOP, pixels, BAR_HEIGHT);
    drawBoxes(context, scene, placed, colors);
    if (!isLink) drawCounters(context, scene, placed, colors);
    context.fillStyle = colors.ink;
    context.font = '11px system-ui, sans-serif';
    context.textBaseline = 'alphabetic';
    context.fillText(placed.label, 2, top + 11);
    if (scene.cursor?.lane === l)
      drawCursor(context, scene, placed, scene.cursor.iteration, colors);
  });
  if (scene.selection !== undefined) {
    const left = pixelAt(scene.selection.start, scene);
    const right = pixelAt(scene.selection.end, scene);
    context.globalAlpha = 0.18;
    context.fillStyle = colors.accent;
    context.fillRect(left, 0, right - left, height);
    context.globalAlpha = 1;
  }
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

function drawBoxes(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  { index, top }: PlacedLane,
  colors: TimelineColors,
): void {
  const { lane, count } = index;
  const meanPixels =
    (scene.width / (scene.span.end - scene.span.start)) *
    ((index.busy[count] as number) / Math.max(1, count));
  if (meanPixels < LEAST_BOX_PIXELS) return;
  context.strokeStyle = colors.ink;
  context.globalAlpha = 0.5;
  const first = firstStartAtOrAfter(lane.startSeconds, count, scene.span.start) - 1;
  for (let i = Math.max(0, first); i < count; i++) {
    const left = pixelAt(lane.startSeconds[i] as number, scene);
    if (left > scene.width) break;
    const right = pixelAt(
      (lane.startSeconds[i] as number) + (lane.durationSeconds[i] as number),
      scene,
    );
    if (right < 0 || right - left < LEAST_BOX_PIXELS) continue;
    context.strokeRect(left + 0.5, top + BAR_TOP + 0.5, right - left - 1, BAR_HEIGHT - 1);
    if (right - left > 34) {
      context.globalAlpha = 1;
      context.fillStyle = colors.ink;
      context.font = '10px system-ui, sans-serif';
      context.textBaseline = 'middle';
      const text =
        lane.role === 'link'
          ? `${lane.prefillTokens[i]}`
          : `${lane.prefillTokens[i]}+${lane.decodeTokens[i]}`;
      context.fillText(
        text,
        Math.max(left, 0) + 3,
        top + BAR_TOP + BAR_HEIGHT / 2,
        right - left - 6,
      );
      context.globalAlpha = 0.5;
    }
  }
  context.globalAlpha = 1;
}

/** Queue length as steps in its own colour, KV use as a thin line over it. */
function drawCounters(
  context: CanvasRenderingContext2D,
  scene: TimelineScene,
  { index, top }: PlacedLane,
  colors: TimelineColors,
): void {
  const { lane } = index;
  const pixels = Math.max(1, Math.floor(scene.width));
  const bottom = top + BAR_TOP + BAR_HEIGHT + 2 + COUNTER_HEIGHT;
  const queue = maxPerPixel(index, lane.queueLength, scene.span.start, scene.span.end, pixels);
  const kv = maxPerPixel(index, lane.kvBlocksUsed, scene.span.start, scene.span.end, pixels);
  const largest = Math.max(8, ...queue);
  context.fillStyle = colors.queue;
  for (let x = 0; x < pixels; x++) {
    const y = ((queue[x] as number) / largest) * COUNTER_HEIGHT;
    if (y > 0) context.fillRect(x, bottom - y, 1, y);
  }
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
