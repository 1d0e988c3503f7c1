import { createRandom } from '../random/random';
import { isGenerated, type WorkloadParams } from '../spec/kinds/workload';
import { generated } from './generated';
import { programStarts } from './program-starts';
import { reorder, timeOrder } from './reorder';
import type { Workload } from './types';

/** A load whose rate of arrivals can be set: a generator's params, or the requests of a trace. */
export type RatedLoad =
  | { readonly type: 'generator'; readonly params: WorkloadParams }
  | { readonly type: 'trace'; readonly workload: Workload; readonly seed: number };

/**
 * Requests per second of the load as it is, or programs per second where it has programs: when their
 * other requests come depends on the run.
 *
 * @throws RangeError for fewer than two arrivals
 */
export function ownRatePerSecond(load: RatedLoad): number {
  if (load.type === 'generator') {
    const { source, rateScale } = load.params;
    if (isGenerated(source)) return source.ratePerSecond * rateScale;
    throw new Error(`invalid load: a source of type ${source.type} (expected a generator)`);
  }
  const arrivalSeconds = programStarts(load.workload);
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
  if (!isGenerated(source))
    throw new Error(`invalid load: a source of type ${source.type} (expected a generator)`);
  // The rate is that of the requests as they arrive: the scale is part of it.
  return generated(
    { ...params, rateScale: 1, seed: params.seed + repeat },
    { ...source, ratePerSecond },
  );
}

function rotated(workload: Workload, start: number, stretch: number): Workload {
  const { arrivalSeconds } = workload;
  const count = arrivalSeconds.length;
  const span = arrivalSeconds[count - 1] ?? 0;
  if (start === 0)
    return { ...workload, arrivalSeconds: arrivalSeconds.map((seconds) => seconds * stretch) };
  // Between the trace's end and its beginning lies the mean gap.
  const period = span + span / Math.max(1, count - 1);
  const isWrapped = wrappedBefore(workload, start);
  const moved = arrivalSeconds.map((seconds, row) => seconds + (isWrapped(row) ? period : 0));
  // Rows before `start` in time follow those after it; equal times keep the order of the trace.
  const order = timeOrder(moved);
  const turned = reorder({ ...workload, arrivalSeconds: moved }, order);
  const from = turned.arrivalSeconds[0] ?? 0;
  return {
    ...workload,
    ...turned,
    arrivalSeconds: turned.arrivalSeconds.map((seconds) => (seconds - from) * stretch),
  };
}

/** Whether a request comes after the end of the trace: all of a program do, where its first one does. */
function wrappedBefore({ programs }: Workload, start: number): (row: number) => boolean {
  if (programs === undefined) return (row) => row < start;
  const firstRow = new Map<number, number>();
  programs.programIds.forEach((id, row) => {
    if (!firstRow.has(id)) firstRow.set(id, row);
  });
  return (row) => (firstRow.get(programs.programIds[row] as number) as number) < start;
}
