import type { TimelineLane } from '../../serving/types';

/** A lane with prefix sums: busy time, share and counts of any span in O(log n). */
export interface LaneIndex {
  readonly lane: TimelineLane;
  readonly count: number;
  /** busy[i]: seconds busy in iterations before i; likewise the others. */
  readonly busy: Float64Array;
  /** Busy seconds weighted by the share of prefill tokens. */
  readonly prefillBusy: Float64Array;
  readonly prefillTokens: Float64Array;
  readonly decodeTokens: Float64Array;
  readonly iterations: Float64Array;
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
  for (let i = 0; i < count; i++) {
    const duration = lane.durationSeconds[i] as number;
    busy[i + 1] = (busy[i] as number) + duration;
    prefillBusy[i + 1] = (prefillBusy[i] as number) + duration * prefillShare(lane, i);
    const times = iterationsOf(lane, i);
    iterations[i + 1] = (iterations[i] as number) + times;
    prefillTokens[i + 1] = (prefillTokens[i] as number) + (lane.prefillTokens[i] as number) * times;
    decodeTokens[i + 1] = (decodeTokens[i] as number) + (lane.decodeTokens[i] as number) * times;
  }
  return { lane, count, busy, prefillBusy, prefillTokens, decodeTokens, iterations };
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
function sumBefore(index: LaneIndex, prefix: Float64Array, seconds: number, from: number): number {
  const { lane, count } = index;
  const i = firstStartAtOrAfter(lane.startSeconds, count, seconds, from);
  if (i === 0) return 0;
  const start = lane.startSeconds[i - 1] as number;
  const duration = lane.durationSeconds[i - 1] as number;
  const part = Math.min(1, (seconds - start) / duration);
  return (prefix[i - 1] as number) + ((prefix[i] as number) - (prefix[i - 1] as number)) * part;
}

/** Exact busy fraction and prefill share of every pixel of a span. */
export interface LanePixels {
  readonly busy: Float32Array;
  /** Of the busy time; 0 where idle. */
  readonly prefillShare: Float32Array;
}

export function queryLane(
  index: LaneIndex,
  startSeconds: number,
  endSeconds: number,
  pixels: number,
): LanePixels {
  const busy = new Float32Array(pixels);
  const share = new Float32Array(pixels);
  const width = (endSeconds - startSeconds) / pixels;
  let from = firstStartAtOrAfter(index.lane.startSeconds, index.count, startSeconds);
  let busyBefore = sumBefore(index, index.busy, startSeconds, 0);
  let prefillBefore = sumBefore(index, index.prefillBusy, startSeconds, 0);
  for (let x = 0; x < pixels; x++) {
    const edge = startSeconds + (x + 1) * width;
    const busyAfter = sumBefore(index, index.busy, edge, from);
    const prefillAfter = sumBefore(index, index.prefillBusy, edge, from);
    const seconds = busyAfter - busyBefore;
    busy[x] = Math.min(1, Math.max(0, seconds / width));
    share[x] = seconds > 0 ? Math.min(1, Math.max(0, (prefillAfter - prefillBefore) / seconds)) : 0;
    busyBefore = busyAfter;
    prefillBefore = prefillAfter;
    from = Math.max(0, firstStartAtOrAfter(index.lane.startSeconds, index.count, edge, from) - 1);
  }
  return { busy, prefillShare: share };
}

/** What an area select tells about one lane: iterations that start in the span, busy time that lies in it. */
export interface LaneAggregate {
  readonly iterations: number;
  readonly busyFraction: number;
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly meanIterationSeconds: number;
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
    sumBefore(index, index.busy, endSeconds, 0) - sumBefore(index, index.busy, startSeconds, 0);
  let maxQueue = 0;
  let maxKv = 0;
  for (let i = first; i < last; i++) {
    maxQueue = Math.max(maxQueue, lane.queueLength[i] as number);
    maxKv = Math.max(maxKv, lane.kvBlocksUsed[i] as number);
  }
  return {
    iterations: span(index.iterations),
    busyFraction: endSeconds > startSeconds ? busy / (endSeconds - startSeconds) : 0,
    prefillTokens: span(index.prefillTokens),
    decodeTokens: span(index.decodeTokens),
    meanIterationSeconds: last > first ? span(index.busy) / span(index.iterations) : Number.NaN,
    maxQueue,
    maxKvShare: lane.kvBlocksTotal > 0 ? maxKv / lane.kvBlocksTotal : 0,
  };
}

/** The largest of an integer column per pixel: counters keep their spikes when zoomed out. */
export function maxPerPixel(
  index: LaneIndex,
  column: Int32Array,
  startSeconds: number,
  endSeconds: number,
  pixels: number,
): Float32Array {
  const out = new Float32Array(pixels);
  const starts = index.lane.startSeconds;
  let i = Math.max(0, firstStartAtOrAfter(starts, index.count, startSeconds) - 1);
  let held = index.count > 0 && (starts[i] as number) <= startSeconds ? (column[i] as number) : 0;
  for (let x = 0; x < pixels; x++) {
    const edge = startSeconds + ((x + 1) * (endSeconds - startSeconds)) / pixels;
    let largest = held;
    while (i < index.count && (starts[i] as number) < edge) {
      held = column[i] as number;
      if (held > largest) largest = held;
      i++;
    }
    out[x] = largest;
  }
  return out;
}
