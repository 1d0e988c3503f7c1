import type { RequestTrace } from '../trace/types';
import type { ServeResult } from '../types';
import { flowEvents } from './flow-events';
import { laneEvents } from './lane-events';
import { requestEvents, traceEvents } from './request-events';

/** Requests that get phases and arrows; of the others there is the span alone. */
const MOST_DETAILED = 50_000;

/**
 * A run as Chrome Trace Event JSON, in pieces, for Perfetto: one process per lane (replicas, links,
 * stores, shares of an accelerator) with its rows as complete events that never overlap; requests as
 * nestable async events with their phases; arrows of a request across the lanes, and from turn to turn
 * of a program; queue length, KV blocks and shares as counters; and requests that a reader has asked
 * about, with the reason of every phase. Times are microseconds of simulated time.
 *
 * @param metadata written as it is: provenance, notebook, cell
 * @param traces requests with their reasons
 */
export function* chromeTraceChunks(
  result: ServeResult,
  metadata: Readonly<Record<string, unknown>>,
  traces: readonly RequestTrace[] = [],
): Generator<string> {
  const requests = result.requests.arrivalSeconds.length;
  const detailed = Math.min(requests, MOST_DETAILED);
  const head = { simulated: true, requests, requestsWithArrows: detailed, ...metadata };
  yield `{"displayTimeUnit":"ms","metadata":${JSON.stringify(head)},"traceEvents":[\n`;
  let separator = '';
  for (const event of eventsOf(result, detailed, traces)) {
    yield separator + event;
    separator = ',\n';
  }
  yield '\n]}\n';
}

function* eventsOf(
  result: ServeResult,
  detailed: number,
  traces: readonly RequestTrace[],
): Generator<string> {
  const { lanes } = result;
  for (const [i, lane] of lanes.entries()) yield* laneEvents(lane, i);
  yield* requestEvents(result, lanes.length, detailed);
  yield* flowEvents(result, detailed);
  const labels = lanes.map(({ label }) => label);
  for (const [i, trace] of traces.entries())
    yield* traceEvents(trace, labels, lanes.length + 1 + i);
}
