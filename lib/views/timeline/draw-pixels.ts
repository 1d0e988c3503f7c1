import { computes } from '../../serving/lane-roles';
import { rgbOf } from '../rgb';
import {
  BAR_HEIGHT,
  BAR_TOP,
  COUNTER_HEIGHT,
  type TimelineColors,
  type TimelineScene,
} from './draw';
import { type LaneIndex, maxPerPixel, queryLane } from './lane-index';

/** Pixels of every lane's bar and counters, kept between frames: a frame allocates nothing of its size. */
interface Texels {
  readonly canvas: OffscreenCanvas;
  readonly context: OffscreenCanvasRenderingContext2D | null;
  readonly image: ImageData;
  /** The same pixels, one word each. */
  readonly words: Uint32Array;
}
let kept: Texels | undefined;

function texels(width: number, height: number): Texels {
  if (kept?.canvas.width === width && kept.canvas.height === height) return kept;
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  kept = { canvas, context: canvas.getContext('2d'), image, words };
  return kept;
}

/** An opaque colour as the word that holds its four bytes in memory order. */
function wordOf(color: string): number {
  const [red, green, blue] = rgbOf(color);
  return new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0] as number;
}

/**
 * The bars and counters of all lanes. What a software canvas is slow at is many shapes, so none are
 * drawn: a row of pixels per bar, stretched to its height, and the counters pixel by pixel.
 */
export function drawPixels(
  context: CanvasRenderingContext2D,
  { lanes, span }: TimelineScene,
  edges: readonly Int32Array[],
  colors: TimelineColors,
): void {
  if (lanes.length === 0) return;
  const pixels = (edges[0] as Int32Array).length - 1;
  const {
    canvas,
    context: small,
    image,
    words,
  } = texels(pixels, lanes.length * (1 + COUNTER_HEIGHT));
  words.fill(0);
  const counters = { queue: wordOf(colors.queue), kv: wordOf(colors.inkSoft) };
  const shares = {
    prefill: wordOf(colors.prefill),
    decode: wordOf(colors.decode),
    idle: wordOf(colors.idle),
  };
  lanes.forEach(({ index }, l) => {
    const own = edges[l] as Int32Array;
    const target = words.subarray((lanes.length + l * COUNTER_HEIGHT) * pixels);
    if (index.lane.role === 'share') paintShares(target, index, span, own, shares);
    else paintBar(image.data, 4 * l * pixels, index, span, own, colors);
    if (computes(index.lane)) paintCounters(target, index, own, counters);
  });
  small?.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  lanes.forEach(({ top, index }, l) => {
    const from = lanes.length + l * COUNTER_HEIGHT;
    const stretch = (row: number, rows: number, at: number, height: number) =>
      context.drawImage(canvas, 0, row, pixels, rows, 0, at, pixels, height);
    // Shares are all that such a lane has: they take the place of bar and counters.
    if (index.lane.role === 'share') {
      stretch(from, COUNTER_HEIGHT, top + BAR_TOP, BAR_HEIGHT + 2 + COUNTER_HEIGHT);
      return;
    }
    stretch(l, 1, top + BAR_TOP, BAR_HEIGHT);
    if (computes(index.lane))
      stretch(from, COUNTER_HEIGHT, top + BAR_TOP + BAR_HEIGHT + 2, COUNTER_HEIGHT);
  });
}

/** Decode, prefill and idle mixed by their exact shares of each pixel's time. */
function paintBar(
  data: Uint8ClampedArray,
  at: number,
  index: LaneIndex,
  span: TimelineScene['span'],
  edges: Int32Array,
  colors: TimelineColors,
): void {
  const { role } = index.lane;
  const isLink = role === 'link';
  const [idle, prefill] = [rgbOf(colors.idle), rgbOf(colors.prefill)];
  const hot = rgbOf(isLink ? colors.link : role === 'encode' ? colors.encode : colors.decode);
  const pixels = edges.length - 1;
  const { busy, prefillShare } = queryLane(index, span.start, span.end, pixels, edges);
  for (let x = 0; x < pixels; x++) {
    const share = isLink || role === 'encode' ? 0 : (prefillShare[x] as number);
    const ofPrefill = (busy[x] as number) * share;
    const ofHot = (busy[x] as number) - ofPrefill;
    const ofIdle = 1 - (busy[x] as number);
    const pixel = at + 4 * x;
    data[pixel] = hot[0] * ofHot + prefill[0] * ofPrefill + idle[0] * ofIdle;
    data[pixel + 1] = hot[1] * ofHot + prefill[1] * ofPrefill + idle[1] * ofIdle;
    data[pixel + 2] = hot[2] * ofHot + prefill[2] * ofPrefill + idle[2] * ofIdle;
    data[pixel + 3] = 255;
  }
}

/** Mean shares of each pixel's time, one on the other: decodes from below, prompts on top of them. */
function paintShares(
  words: Uint32Array,
  index: LaneIndex,
  span: TimelineScene['span'],
  edges: Int32Array,
  colors: { readonly prefill: number; readonly decode: number; readonly idle: number },
): void {
  const pixels = edges.length - 1;
  const { busy, prefillShare } = queryLane(index, span.start, span.end, pixels, edges);
  for (let x = 0; x < pixels; x++) {
    const both = Math.round((busy[x] as number) * COUNTER_HEIGHT);
    const decodes = Math.round(
      (busy[x] as number) * (1 - (prefillShare[x] as number)) * COUNTER_HEIGHT,
    );
    for (let y = 0; y < COUNTER_HEIGHT; y++) {
      const color = y < decodes ? colors.decode : y < both ? colors.prefill : colors.idle;
      words[(COUNTER_HEIGHT - 1 - y) * pixels + x] = color;
    }
  }
}

/** Queue length as columns in its own colour, KV use as a thin line over them. */
function paintCounters(
  words: Uint32Array,
  index: LaneIndex,
  edges: Int32Array,
  colors: { readonly queue: number; readonly kv: number },
): void {
  const { lane } = index;
  const pixels = edges.length - 1;
  const queue = maxPerPixel(index, lane.queueLength, index.fullestQueue, edges);
  const kv = maxPerPixel(index, lane.kvBlocksUsed, index.fullestKv, edges);
  let longest = 8;
  for (const each of queue) if (each > longest) longest = each;
  let before = -1;
  for (let x = 0; x < pixels; x++) {
    const high = Math.ceil(((queue[x] as number) / longest) * COUNTER_HEIGHT);
    for (let y = COUNTER_HEIGHT - high; y < COUNTER_HEIGHT; y++)
      words[y * pixels + x] = colors.queue;
    const share = (kv[x] as number) / Math.max(1, lane.kvBlocksTotal);
    const y = Math.min(COUNTER_HEIGHT - 1, Math.floor((1 - share) * COUNTER_HEIGHT));
    // The line has no holes where it rises or falls by more than a pixel.
    const from = before < 0 ? y : Math.min(y, before);
    const to = before < 0 ? y : Math.max(y, before);
    for (let each = from; each <= to; each++) words[each * pixels + x] = colors.kv;
    before = y;
  }
}
