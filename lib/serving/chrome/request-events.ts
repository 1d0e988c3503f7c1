import { activityText, preemptionText, traceSummary } from '../trace/sentences';
import { groupOf } from '../trace/sums';
import type { RequestTrace } from '../trace/types';
import type { RequestColumns, ServeResult } from '../types';
import { micros, processName, toNanoseconds } from './events';

/** What the columns of a run tell of a request, as spans that touch. */
function spansOf(requests: RequestColumns, i: number) {
  const at = (column: Float64Array) => toNanoseconds(column[i] as number);
  const [sent, scheduled] = [at(requests.arrivalSeconds), at(requests.firstScheduledSeconds)];
  const [first, end] = [at(requests.firstTokenSeconds), at(requests.completedSeconds)];
  return [
    { name: 'waits', start: sent, end: scheduled },
    { name: 'prefill', start: scheduled, end: first },
    { name: 'decode', start: first, end },
  ].filter((span) => span.end > span.start);
}

/**
 * Requests overlap, so they are async spans, each with its phases nested in it.
 * @param count of the requests, from the first on, that get phases
 */
export function* requestEvents(
  { requests }: ServeResult,
  pid: number,
  count: number,
): Generator<string> {
  yield processName(pid, 'requests');
  for (let i = 0; i < requests.arrivalSeconds.length; i++) {
    const end = requests.completedSeconds[i] as number;
    if (Number.isNaN(end)) continue;
    const common = `"cat":"request","id":${i},"pid":${pid},"tid":0`;
    const args = {
      prompt_tokens: requests.promptTokens[i],
      output_tokens: requests.outputTokens[i],
      restarts: requests.restarts[i],
      ...(requests.hitTokens === undefined ? {} : { reused_tokens: requests.hitTokens[i] }),
      ...(requests.programIds === undefined ? {} : { program: requests.programIds[i] }),
    };
    const at = (seconds: number) => micros(toNanoseconds(seconds));
    yield `{"ph":"b","name":"request",${common},"ts":${at(requests.arrivalSeconds[i] as number)},"args":${JSON.stringify(args)}}`;
    if (i < count) {
      for (const { name, start, end: spanEnd } of spansOf(requests, i)) {
        yield `{"ph":"b","name":"${name}",${common},"ts":${micros(start)}}`;
        yield `{"ph":"e","name":"${name}",${common},"ts":${micros(spanEnd)}}`;
      }
    }
    yield `{"ph":"n","name":"first token",${common},"ts":${at(requests.firstTokenSeconds[i] as number)}}`;
    yield `{"ph":"e","name":"request",${common},"ts":${at(end)}}`;
  }
}

/** One request with its reasons: its phases, which touch, as a track of its own. */
export function* traceEvents(
  trace: RequestTrace,
  laneLabels: readonly string[],
  pid: number,
): Generator<string> {
  const print = (seconds: number) => `${Number((seconds * 1e3).toPrecision(4))} ms`;
  yield processName(pid, `request ${trace.id}, with its reasons`);
  yield `{"ph":"M","name":"thread_name","pid":${pid},"tid":0,"args":{"name":${JSON.stringify(traceSummary(trace, print))}}}`;
  for (const { startSeconds, endSeconds, lane, activity } of trace.phases) {
    const start = toNanoseconds(startSeconds);
    const args = { what: activityText(activity), lane: laneLabels[lane] ?? 'none' };
    yield `{"ph":"X","name":"${activity.kind}","cat":"${groupOf(activity)}","pid":${pid},"tid":0,"ts":${micros(start)},"dur":${micros(toNanoseconds(endSeconds) - start)},"args":${JSON.stringify(args)}}`;
  }
  for (const preemption of trace.preemptions) {
    const args = JSON.stringify({ what: preemptionText(preemption) });
    yield `{"ph":"i","name":"preempted","cat":"preemption","s":"t","pid":${pid},"tid":0,"ts":${micros(toNanoseconds(preemption.atSeconds))},"args":${args}}`;
  }
}
