import { expect } from 'vitest';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { createTraceRun } from '../../../lib/serving/trace/trace-run';
import type { RequestTrace } from '../../../lib/serving/trace/types';
import type { ServeResult } from '../../../lib/serving/types';
import { serveParams } from '../../../lib/spec/kinds/serve';
import type { Workload } from '../../../lib/workload/types';

export function traceOf(params: object, workload: Workload, id: number): RequestTrace {
  const parsed = serveParams.parse(params);
  const run = createTraceRun(parsed, workload, makeCostModel(parsed), id);
  while (run.advance(1_000_000));
  return run.result();
}

export const kindsOf = (trace: RequestTrace) => trace.phases.map(({ activity }) => activity.kind);

/** What must hold of any trace beside the run that it tells of. */
export function expectTold(trace: RequestTrace, { requests }: ServeResult): void {
  const { id, phases } = trace;
  const arrival = requests.arrivalSeconds[id] as number;
  const completed = requests.completedSeconds[id] as number;
  if (requests.refused[id] === 1) {
    expect(trace.end).toBe('refused');
    expect(phases.reduce((n, each) => n + each.endSeconds - each.startSeconds, 0)).toBeCloseTo(
      trace.endSeconds - trace.arrivalSeconds,
      9,
    );
    return;
  }
  expect(trace.end).toBe('completed');
  expect(trace.endSeconds).toBe(completed);
  expect(phases[0]?.startSeconds).toBe(arrival);
  expect(phases.at(-1)?.endSeconds).toBe(completed);
  let sum = 0;
  phases.forEach((phase, i) => {
    expect(phase.endSeconds).toBeGreaterThan(phase.startSeconds);
    if (i > 0) expect(phase.startSeconds).toBe(phases[i - 1]?.endSeconds);
    sum += phase.endSeconds - phase.startSeconds;
  });
  expect(Math.abs(sum - (completed - arrival))).toBeLessThan(1e-9);
  const tokens = phases.reduce((n, { activity }) => {
    if (activity.kind === 'decode') return n + activity.tokens;
    return activity.kind === 'prefill' && activity.isLast ? n + 1 : n;
  }, 0);
  expect(tokens).toBe(requests.outputTokens[id]);
  const first = phases.find(({ activity }) => activity.kind === 'prefill');
  expect(first).toBeDefined();
  const firstToken = phases.find(({ activity }) => activity.kind === 'prefill' && activity.isLast);
  expect(firstToken?.endSeconds).toBe(requests.firstTokenSeconds[id]);
  const prompts = phases.reduce((n, { activity }) => {
    if (activity.kind !== 'prefill' || activity.isCut === true) return n;
    const { layers } = activity;
    return layers === undefined || layers.group === layers.groups ? n + activity.tokens : n;
  }, 0);
  const restarts = requests.restarts[id] as number;
  const kept =
    first?.activity.kind === 'prefill' && restarts === 0 ? first.activity.context : undefined;
  if (kept !== undefined) expect(prompts).toBe((requests.promptTokens[id] as number) - kept);
  expect(trace.preemptions.filter(({ isSwap }) => !isSwap)).toHaveLength(restarts);
}
