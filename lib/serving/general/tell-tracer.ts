import type { RequestTracer } from '../trace/tracer';
import type { Activity, Blocker } from '../trace/types';
import type { Replica } from './replica';
import type { State } from './state';

/** Tokens of the iteration being formed, by who got them. */
function tokensOf(replica: Replica, without = -1): { decode: number; prompt: number } {
  let prompt = 0;
  replica.chunkIds.forEach((id, i) => {
    if (id !== without) prompt += replica.chunkTokens[i] as number;
  });
  return { decode: replica.hasDecodes ? replica.decoding.length : 0, prompt };
}

/** Why a replica has no place for a request, by the rules that `hasPlace` asks. */
export function placeMissing(state: State, replica: Replica, id: number): Blocker {
  const { admission, alloc } = state.parts;
  const { holders, blocksTotal: total, blocksUsed, committedBlocks, blockTokens } = replica;
  const limit = admission.maxSequences;
  if (holders >= limit) return { type: 'seats', taken: holders, limit };
  // Blocks that it would share with others that hold them cost nothing.
  const shared = replica.cache?.lookup(id).heldBlocks ?? 0;
  const free = total - blocksUsed;
  const own = alloc.entryBlocks(state.requests.prefillTokens[id] as number) - shared;
  const promised = admission.commits(id, blockTokens);
  if (promised > 0 && own <= free) {
    return { type: 'reservation', needed: promised, free: total - committedBlocks, total };
  }
  if (!admission.isMonotone && own <= free) return { type: 'future-peak', total };
  const beside = admission.isMonotone ? admission.spareBlocks(replica.watermarkBlocks) : 0;
  const pins = state.hooks.pinnedAt(replica);
  const blocks = { needed: own + beside, free, total, holders };
  return { type: 'blocks', ...blocks, ...(pins > 0 ? { pins } : {}) };
}

export function seatsTaken({ parts }: State, taken: number): Blocker {
  return { type: 'seats', taken, limit: parts.admission.maxSequences };
}

export function budgetSpent(replica: Replica, limit: number): Blocker {
  const { decode, prompt } = tokensOf(replica);
  return { type: 'budget', limit, decodeTokens: decode, promptTokens: prompt };
}

/** A set of prompts is under way, and nobody joins it. */
export function setUnderWay({ layerPass, chunkTokens }: Replica): Blocker {
  const tokens = chunkTokens.reduce((a, b) => a + b, 0);
  const { done = 0, groups = 1 } = layerPass ?? {};
  return { type: 'layer-set', group: done + 1, groups, tokens };
}

/** Why a former that tried no plan with newcomers did not. */
function phaseClosed({ parts }: State, replica: Replica): Blocker {
  const { patience, holdsUntilEmpty } = parts.former(replica);
  const rule = holdsUntilEmpty ? 'batch-runs-on' : patience > 0 ? 'patience' : 'decodes-only';
  return { type: 'phase', rule };
}

function prefillOf(state: State, replica: Replica, trace: RequestTracer, place: number): Activity {
  const { id } = trace;
  const { processed, prefillTokens, restarts } = state.requests;
  const tokens = replica.chunkTokens[place] as number;
  const context = processed[id] as number;
  const { decode, prompt } = tokensOf(replica, id);
  const { layerPass, job } = replica;
  const isFirst = context === (state.hitTokens[id] as number) && (layerPass?.done ?? 0) === 0;
  const isLastGroup = layerPass === undefined || layerPass.done === layerPass.groups - 1;
  const isResumed = job !== undefined && job.executedSeconds > 0;
  const repairTokens = isFirst && !isResumed ? trace.repairTokens : 0;
  return {
    kind: 'prefill',
    tokens,
    context,
    decodes: decode,
    otherPromptTokens: prompt,
    isLast: isLastGroup && context + tokens >= (prefillTokens[id] as number),
    ...(isFirst && context > 0 ? { reusedTokens: context } : {}),
    ...(repairTokens > 0 ? { repairTokens } : {}),
    ...((restarts[id] as number) > 0 ? { isAgain: true } : {}),
    ...(isResumed ? { isResumed } : {}),
    ...(layerPass === undefined
      ? {}
      : { layers: { group: layerPass.done + 1, groups: layerPass.groups } }),
  };
}

/** What the traced request does in the iteration just formed, or while none is; undefined where that is told elsewhere. */
function activityOf(state: State, replica: Replica, trace: RequestTracer): Activity | undefined {
  const { id, blocker, ownBlocker } = trace;
  const place = replica.chunkIds.indexOf(id);
  if (place >= 0) return prefillOf(state, replica, trace, place);
  if (state.isDecoding[id] === 1) {
    return replica.hasDecodes
      ? { kind: 'decode', tokens: 0, mixedIterations: 0, batch: replica.decoding.length }
      : { kind: 'stalled', promptTokens: tokensOf(replica).prompt, iterations: 0 };
  }
  const job = replica.paused.find(({ ids }) => ids.includes(id));
  if (job !== undefined) {
    const { executedSeconds: doneSeconds, wholeSeconds } = job;
    return { kind: 'stopped', by: replica.chunkIds[0], doneSeconds, wholeSeconds };
  }
  if (replica.loading.has(id)) return undefined;
  if (replica.front.includes(id) || replica.tail.includes(id))
    return { kind: 'paused', blocker: ownBlocker ?? blocker };
  for (let i = 0; i < replica.swapped.length; i++)
    if (replica.swapped.at(i) === id) return { kind: 'swapped' };
  return {
    kind: 'queued',
    blocker,
    behind: trace.head === id ? undefined : trace.head,
    waiting: replica.queue.length,
    isAgain: trace.hasRun,
  };
}

/** Notes what stops the first request of the queue, where the traced one is there. */
export function tellHead(state: State, replica: Replica, why: () => Blocker): void {
  const { trace } = state;
  if (trace === undefined || trace.home !== replica.index) return;
  trace.blocker = why();
  trace.head = replica.queue.length > 0 ? replica.queue.peek(replica.step) : undefined;
}

/** Before any plan has been tried: nobody may enter. */
export function tellClosed(state: State, replica: Replica): void {
  if (state.trace === undefined) return;
  state.trace.ownBlocker = undefined;
  tellHead(state, replica, () => phaseClosed(state, replica));
}

/** A stopped prompt goes on instead of what waits. */
export function tellResumed(state: State, replica: Replica, by: number): void {
  if (state.trace !== undefined) state.trace.ownBlocker = undefined;
  tellHead(state, replica, () => ({ type: 'urgency', by }));
}

/** @param loadSeconds by which the iteration is longer than its computation */
export function tellFormed(
  state: State,
  replica: Replica,
  isFormed: boolean,
  loadSeconds = 0,
): void {
  const { trace, nowSeconds: now } = state;
  if (trace === undefined || trace.home !== replica.index) return;
  const activity = activityOf(state, replica, trace);
  if (activity === undefined) return;
  if (isFormed && activity.kind === 'prefill') {
    const load = loadSeconds > 0 ? { loadSeconds } : {};
    trace.work(now, now, replica.index, { ...activity, ...load });
  } else if (isFormed && activity.kind === 'decode') trace.work(now, now, replica.index, activity);
  else trace.enter(now, replica.index, activity);
}

/** The traced request is now in the queue of this replica, or among those that it works on next. */
export function tellQueued(state: State, replica: Replica, id: number): void {
  const { trace } = state;
  if (trace === undefined || trace.id !== id) return;
  trace.home = replica.index;
  trace.enter(state.nowSeconds, replica.index, { kind: 'iteration' });
}

/** No replica takes it for now. */
export function tellOutside(state: State, id: number): void {
  if (state.trace?.id === id) state.trace.enter(state.nowSeconds, -1, { kind: 'outside' });
}

/** It has been refused, and never runs. */
export function tellRefused(state: State, id: number, why: string): void {
  if (state.trace?.id === id) state.trace.refused(state.nowSeconds, why);
}

/** It has entered, and its prompt computes so many tokens of reused chunks again. */
export function tellRepair(state: State, id: number, tokens: number): void {
  if (state.trace?.id === id) state.trace.repairTokens = tokens;
}

/** A read from a store, as its link takes it. */
export interface ToldRead {
  readonly from: string;
  readonly tokens: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Among the lanes of the stores. */
  readonly lane: number;
}

/** It holds its blocks and waits for reads that go on side by side: the phases are of the last to end. */
export function tellFetch(state: State, id: number, reads: readonly ToldRead[]): void {
  const { trace, firstTierLane } = state;
  const last = reads.reduce<ToldRead | undefined>(
    (a, b) => (a === undefined || b.endSeconds > a.endSeconds ? b : a),
    undefined,
  );
  if (trace === undefined || trace.id !== id || last === undefined) return;
  const lane = firstTierLane + last.lane;
  const tokens = reads.reduce((sum, read) => sum + read.tokens, 0);
  const from = reads.map((read) => read.from).join(' and ');
  trace.enter(state.nowSeconds, lane, { kind: 'fetch-queue', from: last.from });
  trace.work(last.startSeconds, last.endSeconds, lane, { kind: 'fetch', from, tokens });
}

/** A phase of the pair has run at less than full speed for `seconds` of which so many were lost. */
export function tellSlowed(state: State, replica: Replica, lostSeconds: number): void {
  const { trace } = state;
  if (trace?.home === replica.index && lostSeconds > 0) trace.slowed(lostSeconds);
}
