import { createRandom } from '../random/random';
import type { WorkloadParams } from '../spec/kinds/workload';
import { generateWorkload } from './generate';
import type { PromptContent, Workload } from './types';

/** A load whose rate of arrivals can be set: a generator's params, or the requests of a trace. */
export type RatedLoad =
  | { readonly type: 'generator'; readonly params: WorkloadParams }
  | { readonly type: 'trace'; readonly workload: Workload; readonly seed: number };

/** Requests per second of the load as it is. @throws RangeError for fewer than two arrivals */
export function ownRatePerSecond(load: RatedLoad): number {
  if (load.type === 'generator') {
    const { source, rateScale } = load.params;
    if (source.type === 'generator') return source.ratePerSecond * rateScale;
    throw new Error(`invalid load: a source of type ${source.type} (expected a generator)`);
  }
  const { arrivalSeconds } = load.workload;
  const span = arrivalSeconds.at(-1) ?? 0;
  if (!(span > 0)) {
    throw new RangeError(
      `invalid trace: ${arrivalSeconds.length} requests over ${span} s (expected at least 2 arrivals apart)`,
    );
  }
  return (arrivalSeconds.length - 1) / span;
}

/**
 * The load at a rate. A generator draws anew from its seed plus `repeat`. A trace has no seeds: its
 * arrival times are scaled, repeat 0 is the trace as it is, and the others begin it at a random
 * request and wrap round, which keeps its bursts and the order of what shares a prefix.
 *
 * @param repeat 0, 1, 2, ...
 * @throws RangeError for a rate that is not above 0
 */
export function workloadAtRate(load: RatedLoad, ratePerSecond: number, repeat: number): Workload {
  if (!(ratePerSecond > 0) || ratePerSecond === Infinity)
    throw new RangeError(`invalid rate: ${ratePerSecond} /s (expected above 0)`);
  if (load.type === 'trace') {
    const { workload } = load;
    const count = workload.arrivalSeconds.length;
    const start =
      repeat === 0
        ? 0
        : createRandom(load.seed + repeat)
            .fork('begin')
            .integer(1, count - 1);
    return rotated(workload, start, ownRatePerSecond(load) / ratePerSecond);
  }
  const { params } = load;
  const { source } = params;
  if (source.type !== 'generator')
    throw new Error(`invalid load: a source of type ${source.type} (expected a generator)`);
  // The rate is that of the requests as they arrive: the scale is part of it.
  return generateWorkload(
    { ...params, rateScale: 1, seed: params.seed + repeat },
    { ...source, ratePerSecond },
  );
}

function rotated(workload: Workload, start: number, stretch: number): Workload {
  const { arrivalSeconds, promptTokens, outputTokens, content, priority, clientIds } = workload;
  const count = arrivalSeconds.length;
  const rowAt = (i: number): number => (start + i) % count;
  const turn = (column: Int32Array): Int32Array =>
    start === 0 ? column : Int32Array.from(column, (_, i) => column[rowAt(i)] as number);
  const from = arrivalSeconds[start] ?? 0;
  const span = arrivalSeconds[count - 1] ?? 0;
  // Between the trace's end and its beginning lies the mean gap.
  const period = span + span / Math.max(1, count - 1);
  return {
    ...workload,
    arrivalSeconds: Float64Array.from(arrivalSeconds, (_, i) => {
      const row = rowAt(i);
      const wrapped = row < start ? period : 0;
      return ((arrivalSeconds[row] as number) + wrapped - from) * stretch;
    }),
    promptTokens: turn(promptTokens),
    outputTokens: turn(outputTokens),
    content: content === undefined || start === 0 ? content : turnedContent(content, rowAt),
    priority: priority === undefined ? undefined : turn(priority),
    ...(clientIds !== undefined && { clientIds: turn(clientIds) }),
  };
}

function turnedContent(content: PromptContent, rowAt: (i: number) => number): PromptContent {
  const count = content.offsets.length - 1;
  const offsets = new Int32Array(count + 1);
  const ids = new Int32Array(content.ids.length);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const row = rowAt(i);
    const part = content.ids.subarray(content.offsets[row], content.offsets[row + 1]);
    ids.set(part, at);
    at += part.length;
    offsets[i + 1] = at;
  }
  return { ...content, offsets, ids };
}
