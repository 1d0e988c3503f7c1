import type { ServeResult, TimelineLane } from './types';

/** Nanoseconds, so that rounding can never make two iterations of one track overlap. */
const toNanoseconds = (seconds: number): number => Math.round(seconds * 1e9);
/** Microseconds with three decimals, as the format wants them. */
const micros = (nanoseconds: number): string => (nanoseconds / 1000).toFixed(3);

function* laneEvents(lane: TimelineLane, pid: number): Generator<string> {
  const name = JSON.stringify(lane.label);
  yield `{"ph":"M","name":"process_name","pid":${pid},"tid":0,"args":{"name":${name}}}`;
  yield `{"ph":"M","name":"process_sort_index","pid":${pid},"tid":0,"args":{"sort_index":${pid}}}`;
  yield `{"ph":"M","name":"thread_name","pid":${pid},"tid":0,"args":{"name":"${lane.role === 'link' ? 'transfers' : 'iterations'}"}}`;
  let freeFrom = 0;
  for (let i = 0; i < lane.startSeconds.length; i++) {
    const start = Math.max(freeFrom, toNanoseconds(lane.startSeconds[i] as number));
    const end = toNanoseconds(
      (lane.startSeconds[i] as number) + (lane.durationSeconds[i] as number),
    );
    const duration = Math.max(0, end - start);
    freeFrom = start + duration;
    const prefill = lane.prefillTokens[i] as number;
    const decode = lane.decodeTokens[i] as number;
    const kind =
      lane.role === 'link'
        ? 'KV transfer'
        : prefill === 0
          ? 'decode'
          : decode === 0
            ? 'prefill'
            : 'mixed';
    yield `{"ph":"X","name":"${kind}","cat":"iteration","pid":${pid},"tid":0,"ts":${micros(start)},"dur":${micros(duration)},"args":{"iteration":${i},"iterations":${lane.runIterations?.[i] ?? 1},"batch_size":${lane.batchSize[i]},"prefill_tokens":${prefill},"decode_tokens":${decode}}}`;
    if (lane.role === 'link') continue;
    yield `{"ph":"C","name":"queue length","pid":${pid},"ts":${micros(start)},"args":{"requests":${lane.queueLength[i]}}}`;
    yield `{"ph":"C","name":"KV blocks","pid":${pid},"ts":${micros(start)},"args":{"used":${lane.kvBlocksUsed[i]}}}`;
  }
}

/** Requests overlap, so they are async spans: arrival to completion, with the first token as an instant in it. */
function* requestEvents({ requests }: ServeResult, pid: number): Generator<string> {
  yield `{"ph":"M","name":"process_name","pid":${pid},"tid":0,"args":{"name":"requests"}}`;
  for (let i = 0; i < requests.arrivalSeconds.length; i++) {
    const end = requests.completedSeconds[i] as number;
    if (Number.isNaN(end)) continue;
    const common = `"cat":"request","id":${i},"pid":${pid},"tid":0`;
    const args = `{"prompt_tokens":${requests.promptTokens[i]},"output_tokens":${requests.outputTokens[i]},"restarts":${requests.restarts[i]}}`;
    const at = (seconds: number) => micros(toNanoseconds(seconds));
    yield `{"ph":"b","name":"request",${common},"ts":${at(requests.arrivalSeconds[i] as number)},"args":${args}}`;
    yield `{"ph":"n","name":"first token",${common},"ts":${at(requests.firstTokenSeconds[i] as number)}}`;
    yield `{"ph":"e","name":"request",${common},"ts":${at(end)}}`;
  }
}

/**
 * A run as Chrome Trace Event JSON, in pieces: one process per replica or link, iterations as
 * complete events that never overlap on a track, requests as nestable async events, queue length
 * and KV blocks as counters. Times are microseconds of simulated time.
 *
 * @param metadata written as it is: provenance, notebook, cell
 */
export function* chromeTraceChunks(
  result: ServeResult,
  metadata: Readonly<Record<string, unknown>>,
): Generator<string> {
  yield `{"displayTimeUnit":"ms","metadata":${JSON.stringify({ simulated: true, ...metadata })},"traceEvents":[\n`;
  let separator = '';
  for (const [i, lane] of result.lanes.entries()) {
    for (const event of laneEvents(lane, i)) {
      yield separator + event;
      separator = ',\n';
    }
  }
  for (const event of requestEvents(result, result.lanes.length)) {
    yield separator + event;
    separator = ',\n';
  }
  yield '\n]}\n';
}
