import { SHARE_UNIT } from '../../serving/lane-roles';
import type { TimelineLane } from '../../serving/types';
import { type ArgMaxTree, argMaxTree } from './arg-max-tree';

/** A lane with prefix sums and trees: sums, largest values and the longest iteration of any span in O(log n). */
export interface LaneIndex {
  readonly lane: TimelineLane;
  readonly count: number;
  /** busy[i]: seconds busy in iterations before i, of a lane of shares by what is shared out; likewise the others. */
  readonly busy: Float64Array;
  /** Busy seconds weighted by the share of prefill tokens. */
  readonly prefillBusy: Float64Array;
  readonly prefillTokens: Float64Array;
  readonly decodeTokens: Float64Array;
  readonly iterations: Float64Array;
  /** Requests in the batch x iterations. */
  readonly batchSum: Float64Array;
  readonly longest: ArgMaxTree;
  readonly fullestQueue: ArgMaxTree;
  readonly fullestKv: ArgMaxTree;
}

/** How many iterations a row stands for. */
export const iterationsOf = (lane: TimelineLane, i: number): number => lane.runIterations?.[i] ?? 1;

export function indexLane(lane: TimelineLane): LaneIndex {
  const count = lane.startSeconds.length;
  const busy = new Float64Array(count + 1);
  const prefillBusy = new Float64Array(count + 1);
  const prefillTokens = new Float64Array(count + 1);
  const decodeTokens = new Float64Array(count + 1);
  const iterations = new Float64Array(count + 1);
  const batchSum = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) {
    const duration = (lane.durationSeconds[i] as number) * weightOf(lane, i);
    busy[i + 1] = (busy[i] as number) + duration;
    prefillBusy[i + 1] = (prefillBusy[i] as number) + duration * prefillShare(lane, i);
    const times = iterationsOf(lane, i);
    batchSum[i + 1] = (batchSum[i] as number) + (lane.batchSize[i] as number) * times;
    iterations[i + 1] = (iterations[i] as number) + times;
    prefillTokens[i + 1] = (prefillTokens[i] as number) + (lane.prefillTokens[i] as number) * times;
    decodeTokens[i + 1] = (decodeTokens[i] as number) + (lane.decodeTokens[i] as number) * times;
  }
  return {
    lane,
    count,
    busy,
    prefillBusy,
    prefillTokens,
    decodeTokens,
    iterations,
    batchSum,
    longest: argMaxTree(lane.durationSeconds, count),
    fullestQueue: argMaxTree(lane.queueLength, count),
    fullestKv: argMaxTree(lane.kvBlocksUsed, count),
  };
}

/** What a row's time counts: all of it, or the part of an accelerator that is shared out. */
function weightOf({ role, prefillTokens, decodeTokens }: TimelineLane, i: number): number {
  if (role !== 'share') return 1;
  return ((prefillTokens[i] as number) + (decodeTokens[i] as number)) / SHARE_UNIT;
}

/** Share of prefill among an iteration's tokens. */
export function prefillShare(lane: TimelineLane, i: number): number {
  const prefill = lane.prefillTokens[i] as number;
  const decode = lane.decodeTokens[i] as number;
  return prefill + decode === 0 ? 0 : prefill / (prefill + decode);
}

/** First index in [from, count) whose start is at or after `seconds`, galloping from `from`. */
export function firstStartAtOrAfter(
  starts: Float64Array,
  count: number,
  seconds: number,
  from = 0,
): number {
  let step = 1;
  let low = from;
  let high = from;
  while (high < count && (starts[high] as number) < seconds) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  high = Math.min(high, count);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The iteration that covers `seconds`, or -1 while the lane is idle. */
export function iterationAt({ lane, count }: LaneIndex, seconds: number): number {
  let i = firstStartAtOrAfter(lane.startSeconds, count, seconds);
  if (i === count || (lane.startSeconds[i] as number) > seconds) i--;
  if (i < 0) return -1;
  return seconds < (lane.startSeconds[i] as number) + (lane.durationSeconds[i] as number) ? i : -1;
}

/** Sum up to `seconds` of a prefix column, an iteration cut by it counting in proportion. */
export function sumBefore(index: LaneIndex, prefix: Float64Array, seconds: number): number {
  const { lane, count } = index;
  const i = firstStartAtOrAfter(lane.startSeconds, count, seconds);
  return sumAt(index, prefix, seconds, i);
}

/** The same where the first iteration that starts at or after `seconds` is known: `i`. */
function sumAt({ lane }: LaneIndex, prefix: Float64Array, seconds: number, i: number): number {
  if (i === 0) return 0;
  const start = lane.startSeconds[i - 1] as number;
  const duration = lane.durationSeconds[i - 1] as number;
  const part = Math.min(1, (seconds - start) / duration);
  return (prefix[i - 1] as number) + ((prefix[i] as number) - (prefix[i - 1] as number)) * part;
}

/** First iteration that starts at or after each edge between the pixels of a span: `pixels + 1` of them. */
export function pixelEdges(
  index: LaneIndex,
  startSeconds: number,
  endSeconds: number,
  pixels: number,
): Int32Array {
  const { lane, count } = index;
  const edges = new Int32Array(pixels + 1);
  const width = (endSeconds - startSeconds) / pixels;
  let i = firstStartAtOrAfter(lane.startSeconds, count, startSeconds);
  edges[0] = i;
  for (let x = 1; x <= pixels; x++) {
    i = firstStartAtOrAfter(lane.startSeconds, count, startSeconds + x * width, i);
    edges[x] = i;
  }
  return edges;
}

/** Exact busy fraction and prefill share of every pixel of a span. */
export interface LanePixels {
  readonly busy: Float32Array;
  /** Of the busy time; 0 where idle. */
  readonly prefillShare: Float32Array;
}

/** @param edges of the same span and pixels, where they are known already */
export function queryLane(
  index: LaneIndex,
  startSeconds: number,
  endSeconds: number,
  pixels: number,
  edges: Int32Array = pixelEdges(index, startSeconds, endSeconds, pixels),
): LanePixels {
  const busy = new Float32Array(pixels);
  const share = new Float32Array(pixels);
  const width = (endSeconds - startSeconds) / pixels;
  let busyBefore = sumAt(index, index.busy, startSeconds, edges[0] as number);
  let prefillBefore = sumAt(index, index.prefillBusy, startSeconds, edges[0] as number);
  for (let x = 0; x < pixels; x++) {
    const edge = startSeconds + (x + 1) * width;
    const i = edges[x + 1] as number;
    const busyAfter = sumAt(index, index.busy, edge, i);
    const prefillAfter = sumAt(index, index.prefillBusy, edge, i);
    const seconds = busyAfter - busyBefore;
    busy[x] = Math.min(1, Math.max(0, seconds / width));
    share[x] = seconds > 0 ? Math.min(1, Math.max(0, (prefillAfter - prefillBefore) / seconds)) : 0;
    busyBefore = busyAfter;
    prefillBefore = prefillAfter;
  }
  return { busy, prefillShare: share };
}

/** What an area select tells about one lane: iterations that start in the span, busy time that lies in it. */
export interface LaneAggregate {
  readonly iterations: number;
  readonly busyFraction: number;
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly meanBatch: number;
  readonly meanIterationSeconds: number;
  readonly longestSeconds: number;
  readonly maxQueue: number;
  readonly maxKvShare: number;
}

export function aggregateLane(
  index: LaneIndex,
  startSeconds: number,
  endSeconds: number,
): LaneAggregate {
  const { lane, count } = index;
  const first = firstStartAtOrAfter(lane.startSeconds, count, startSeconds);
  const last = firstStartAtOrAfter(lane.startSeconds, count, endSeconds, first);
  const span = (prefix: Float64Array) => (prefix[last] as number) - (prefix[first] as number);
  const busy =
    sumBefore(index, index.busy, endSeconds) - sumBefore(index, index.busy, startSeconds);
  const isEmpty = last <= first;
  const largest = (tree: ArgMaxTree, column: Int32Array) =>
    isEmpty ? 0 : (column[tree.at(first, last)] as number);
  return {
    iterations: span(index.iterations),
    busyFraction: endSeconds > startSeconds ? busy / (endSeconds - startSeconds) : 0,
    prefillTokens: span(index.prefillTokens),
    decodeTokens: span(index.decodeTokens),
    meanBatch: isEmpty ? Number.NaN : span(index.batchSum) / span(index.iterations),
    meanIterationSeconds: isEmpty ? Number.NaN : span(index.busy) / span(index.iterations),
    longestSeconds: isEmpty
      ? Number.NaN
      : (lane.durationSeconds[index.longest.at(first, last)] as number),
    maxQueue: largest(index.fullestQueue, lane.queueLength),
    maxKvShare:
      lane.kvBlocksTotal > 0 ? largest(index.fullestKv, lane.kvBlocksUsed) / lane.kvBlocksTotal : 0,
  };
}

/**
 * The largest of a column per pixel: counters keep their spikes when zoomed out, and their value
 * until the next iteration.
 */
export function maxPerPixel(
  index: LaneIndex,
  column: Int32Array,
  tree: ArgMaxTree,
  edges: Int32Array,
): Float32Array {
  const pixels = edges.length - 1;
  const out = new Float32Array(pixels);
  for (let x = 0; x < pixels; x++) {
    const from = Math.max(0, (edges[x] as number) - 1);
    const at = tree.at(from, Math.max(edges[x + 1] as number, edges[x] as number));
    if (at >= 0 && index.count > 0) out[x] = column[at] as number;
  }
  return out;
}

/** What lies under one pixel: how many iterations start in it, and the longest that touches it. */
export function underPixel(
  index: LaneIndex,
  startSeconds: number,
  endSeconds: number,
): { readonly count: number; readonly longest: number } {
  const { lane, count } = index;
  const first = firstStartAtOrAfter(lane.startSeconds, count, startSeconds);
  const last = firstStartAtOrAfter(lane.startSeconds, count, endSeconds, first);
  const before = iterationAt(index, startSeconds);
  const from = before >= 0 && before < first ? before : first;
  return { count: last - from, longest: index.longest.at(from, last) };
}
