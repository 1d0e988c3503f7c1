import { budgetSpent, type VllmV1Options, type VllmV1State } from '../policies/vllm-v1';
import type { Activity } from '../trace/types';
import type { Step } from './step';

/** What a formed step does with a request that is in it. */
function workOf(state: VllmV1State, step: Step, place: number): Activity {
  const { promptTokens } = state;
  let decodes = 0;
  let otherPromptTokens = 0;
  const isDecode = (i: number): boolean =>
    step.emits[i] === 1 &&
    step.tokens[i] === 1 &&
    (step.contexts[i] as number) >= (promptTokens[step.ids[i] as number] as number);
  for (let i = 0; i < step.count; i++) {
    if (isDecode(i)) decodes++;
    else if (i !== place) otherPromptTokens += step.tokens[i] as number;
  }
  if (isDecode(place)) return { kind: 'decode', tokens: 0, mixedIterations: 0, batch: decodes };
  return {
    kind: 'prefill',
    tokens: step.tokens[place] as number,
    context: step.contexts[place] as number,
    decodes,
    otherPromptTokens,
    isLast: step.emits[place] === 1,
  };
}

/**
 * Tells the tracer what a step that was formed at `now` means for its request. A step ahead of the
 * running one begins when that has ended: until then an admitted request waits for it.
 */
export function tellStep(
  state: VllmV1State,
  options: VllmV1Options,
  step: Step,
  lane: number,
  now: number,
): void {
  const { trace, running, planned, outputTokens } = state;
  if (trace === undefined || trace.home !== lane) return;
  const { id } = trace;
  const place = step.ids.subarray(0, step.count).indexOf(id);
  const isRunning = running.includes(id);
  if (place >= 0) {
    const { busyUntilSeconds: until } = trace;
    // Since its last step, or since now where it comes from the queue.
    const from = Math.max(now, until);
    if (step.startSeconds > from) {
      const isBoundary = until >= now && until > -Infinity;
      trace.enter(from, lane, { kind: isBoundary ? 'boundary' : 'iteration' });
    }
    trace.work(step.startSeconds, step.endSeconds, lane, workOf(state, step, place));
    trace.count(1, step.tokenCount > step.count);
  } else if (isRunning) {
    // One step ahead, its last token may be on its way: nothing is left to do.
    if ((planned[id] as number) >= (outputTokens[id] as number)) return;
    trace.enter(now, lane, { kind: 'paused', blocker: budgetSpent(state, options, step) });
  } else {
    trace.enter(now, lane, {
      kind: 'queued',
      blocker: trace.blocker,
      behind: trace.head === id ? undefined : trace.head,
      waiting: state.waiting.length,
      isAgain: trace.hasRun,
    });
  }
}
