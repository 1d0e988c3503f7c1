import type { RequestTracer } from '../trace/tracer';
import type { Activity, Blocker } from '../trace/types';
import type { Instance } from './instance';
import type { RunState } from './run-state';

/** Tokens of the iteration being formed, by who got them. */
function tokensOf(instance: Instance, without = -1): { decode: number; prompt: number } {
  let prompt = 0;
  for (let i = 0; i < instance.chunkCount; i++)
    if (instance.chunkIds[i] !== without) prompt += instance.chunkTokens[i] as number;
  return { decode: instance.hasDecodes ? instance.decodingCount : 0, prompt };
}

/** Every place for a request that enters is taken. */
export const seatsTaken = (taken: number, limit: number): Blocker => ({
  type: 'seats',
  taken,
  limit,
});

/** Why a replica has no place for a request, by the rules that `hasPlace` asks. */
export function placeMissing(state: RunState, instance: Instance, id: number): Blocker {
  const { admission, alloc } = state.parts;
  const { holders, blocksTotal: total, blocksUsed, committedBlocks, blockTokens } = instance;
  if (holders >= instance.seats) return seatsTaken(holders, instance.seats);
  const free = total - blocksUsed;
  const own = alloc.entryBlocks(state.requests.prefillTokens[id] as number);
  const promised = admission.commits(id, blockTokens);
  if (promised > 0 && own <= free) {
    return { type: 'reservation', needed: promised, free: total - committedBlocks, total };
  }
  if (!admission.isMonotone && own <= free) return { type: 'future-peak', total };
  const beside = admission.isMonotone ? admission.spareBlocks(instance.watermarkBlocks) : 0;
  return { type: 'blocks', needed: own + beside, free, total, holders };
}

export function budgetSpent(instance: Instance, limit: number): Blocker {
  const { decode, prompt } = tokensOf(instance);
  return { type: 'budget', limit, decodeTokens: decode, promptTokens: prompt };
}

/** Why a former that tried no plan with newcomers did not. */
function phaseClosed(state: RunState, instance: Instance): Blocker {
  const { patience, holdsUntilEmpty } = state.parts.former(instance);
  const rule = holdsUntilEmpty ? 'batch-runs-on' : patience > 0 ? 'patience' : 'decodes-only';
  return { type: 'phase', rule };
}

/** What the traced request does in the run that the replica has just formed, or while it forms none. */
function activityOf(state: RunState, instance: Instance, trace: RequestTracer): Activity {
  const { id } = trace;
  const { requests } = state;
  for (let i = 0; i < instance.chunkCount; i++) {
    if (instance.chunkIds[i] !== id) continue;
    const tokens = instance.chunkTokens[i] as number;
    const context = requests.processed[id] as number;
    const { decode, prompt } = tokensOf(instance, id);
    const isLast = context + tokens >= (requests.prefillTokens[id] as number);
    return {
      kind: 'prefill',
      tokens,
      context,
      decodes: decode,
      otherPromptTokens: prompt,
      isLast,
    };
  }
  if ((state.endStep[id] as number) >= 0) {
    return instance.hasDecodes
      ? { kind: 'decode', tokens: 0, mixedIterations: 0, batch: instance.decodingCount }
      : { kind: 'stalled', promptTokens: tokensOf(instance).prompt, iterations: 0 };
  }
  const { blocker, ownBlocker } = trace;
  for (let i = 0; i < instance.prefillingCount; i++)
    if (instance.prefilling[i] === id) return { kind: 'paused', blocker: ownBlocker ?? blocker };
  for (let i = 0; i < instance.swapped.length; i++)
    if (instance.swapped.at(i) === id) return { kind: 'swapped' };
  return {
    kind: 'queued',
    blocker,
    behind: trace.head === id ? undefined : trace.head,
    waiting: instance.queue.length,
    isAgain: trace.hasRun,
  };
}

/** Notes what stops the first request of the queue, where the traced one is there. */
export function tellHead(state: RunState, instance: Instance, why: () => Blocker): void {
  const { trace } = state;
  if (trace === undefined || trace.home !== instance.index) return;
  trace.blocker = why();
  trace.head = instance.queue.length > 0 ? instance.queue.peek(instance.step) : undefined;
}

/** Before any plan has been tried: nobody may enter. */
export function tellClosed(state: RunState, instance: Instance): void {
  if (state.trace !== undefined) state.trace.ownBlocker = undefined;
  tellHead(state, instance, () => phaseClosed(state, instance));
}

/** Tells the tracer, after a replica has formed its next run or found nothing to run. */
export function tellFormed(
  state: RunState,
  instance: Instance,
  now: number,
  isFormed: boolean,
): void {
  const { trace } = state;
  if (trace === undefined || trace.home !== instance.index) return;
  const activity = activityOf(state, instance, trace);
  if (isFormed && (activity.kind === 'prefill' || activity.kind === 'decode'))
    trace.work(now, now, instance.index, activity);
  else trace.enter(now, instance.index, activity);
}

/** The traced request is now in the queue of this replica. */
export function tellQueued(state: RunState, instance: Instance, id: number): void {
  const { trace } = state;
  if (trace === undefined || trace.id !== id) return;
  trace.home = instance.index;
  trace.enter(trace.nowSeconds, instance.index, { kind: 'iteration' });
}
