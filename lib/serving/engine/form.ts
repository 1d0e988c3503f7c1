import type { BatchPlan } from '../parts/batch-former';
import { compactDecoding } from './decode-set';
import { type Instance, withRoom } from './instance';
import { blocksHeld, makeRoom, preempt, swapIn, takeBlocks } from './memory';
import type { RunState } from './run-state';
import { budgetSpent, placeMissing, seatsTaken, tellClosed, tellHead } from './tell-tracer';

/**
 * Decides the next iteration of an idle replica: the first plan that yields a batch.
 * @returns false when there is nothing to run
 */
export function formIteration(state: RunState, instance: Instance, now: number): boolean {
  const former = state.parts.former(instance);
  instance.chunkCount = 0;
  instance.hasDecodes = false;
  instance.copyBytes = 0;
  if (state.trace !== undefined) tellClosed(state, instance);
  const plans = former.plans(instance);
  const hadRunning = instance.decodingCount > 0;
  for (let i = 0; i < plans.length; i++) {
    const plan = plans[i] as BatchPlan;
    fill(state, instance, plan, now);
    if (!instance.hasDecodes && instance.chunkCount === 0) continue;
    if (former.patience > 0) {
      if (plan.admits || (i > 0 && hadRunning)) instance.waited = 0;
      if (instance.hasDecodes) instance.waited++;
    }
    instance.queueAtStart = instance.queue.length;
    return true;
  }
  return false;
}

function fill(state: RunState, instance: Instance, plan: BatchPlan, now: number): void {
  if (plan.decodes && instance.decodingCount + instance.swapped.length > 0) {
    const hasPreempted = makeRoom(state, instance);
    if (!hasPreempted && instance.swapped.length > 0) swapIn(state, instance);
    instance.hasDecodes = instance.decodingCount > 0;
  }
  const progress = {
    tokens: instance.hasDecodes ? instance.decodingCount : 0,
    longest: 0,
  };
  if (plan.continues && instance.prefillingCount > 0)
    continuePrompts(state, instance, plan, progress);
  // What was swapped out goes before what has not begun.
  if (!plan.admits || instance.queue.length === 0) return;
  const { length: count } = instance.swapped;
  if (count > 0) tellHead(state, instance, () => ({ type: 'swapped-first', count }));
  else admitWaiting(state, instance, plan, progress, now);
}

interface Progress {
  tokens: number;
  longest: number;
}

/** Tokens that the next prompt may have. */
function budgetLeft(instance: Instance, plan: BatchPlan, progress: Progress, left: number): number {
  if (!plan.isPadded) return plan.tokenLimit - progress.tokens;
  const padded = (instance.chunkCount + 1) * Math.max(progress.longest, left);
  return padded <= plan.tokenLimit ? left : 0;
}

/** The chunk of a prompt of which `left` tokens are not processed. */
function chunkOf(
  state: RunState,
  instance: Instance,
  plan: BatchPlan,
  progress: Progress,
  left: number,
): number {
  const chunk = state.parts.chunker(left, budgetLeft(instance, plan, progress, left));
  if (chunk > 0 || state.parity) return chunk;
  // Alone in its iteration a prompt above the limit runs: engines do not start with such a limit.
  const isAlone = progress.tokens === 0 && instance.decodingCount === 0;
  const isAloneInPhase = !plan.decodes && instance.chunkCount === 0;
  return isAlone || isAloneInPhase ? state.parts.chunker(left, left) : 0;
}

function pushChunk(instance: Instance, id: number, tokens: number, progress: Progress): void {
  const { chunkCount } = instance;
  instance.chunkIds = withRoom(instance.chunkIds, chunkCount);
  instance.chunkTokens = withRoom(instance.chunkTokens, chunkCount);
  instance.chunkIds[chunkCount] = id;
  instance.chunkTokens[chunkCount] = tokens;
  instance.chunkCount++;
  progress.tokens += tokens;
  if (tokens > progress.longest) progress.longest = tokens;
}

/** Prompts under way, in their order; those that get nothing are the first of the next iteration. */
function continuePrompts(
  state: RunState,
  instance: Instance,
  plan: BatchPlan,
  progress: Progress,
): void {
  const { prefilling, prefillingCount } = instance;
  const { prefillTokens, processed } = state.requests;
  let skipped = 0;
  for (let i = 0; i < prefillingCount; i++) {
    const id = prefilling[i] as number;
    const left = (prefillTokens[id] as number) - (processed[id] as number);
    const chunk = chunkOf(state, instance, plan, progress, left);
    if (chunk === 0) {
      prefilling[skipped++] = id;
      if (state.trace?.id === id) state.trace.ownBlocker = budgetSpent(instance, plan.tokenLimit);
    } else pushChunk(instance, id, chunk, progress);
  }
  // The others are in the batch now and come back when it ends.
  instance.prefillingCount = skipped;
  instance.prefillingFront = skipped;
}

function admitWaiting(
  state: RunState,
  instance: Instance,
  plan: BatchPlan,
  progress: Progress,
  now: number,
): void {
  const { preemption } = state.parts;
  const { firstScheduledSeconds, prefillTokens } = state.requests;
  const { queue } = instance;
  while (queue.length > 0) {
    const id = queue.peek(instance.step);
    if (!hasPlace(state, instance, id)) {
      if (preemption.forPriority && preemptFor(state, instance, id, progress)) continue;
      if (state.trace !== undefined)
        tellHead(state, instance, () => placeMissing(state, instance, id));
      return;
    }
    // Each of the two counts its own: holders are running, the batch may lack a phase.
    const batchCount = instance.chunkCount + (instance.hasDecodes ? instance.decodingCount : 0);
    if (batchCount >= instance.batchSeats) {
      if (state.trace !== undefined)
        tellHead(state, instance, () => seatsTaken(batchCount, instance.batchSeats));
      return;
    }
    const chunk = chunkOf(state, instance, plan, progress, prefillTokens[id] as number);
    if (chunk === 0) {
      if (state.trace !== undefined)
        tellHead(state, instance, () => budgetSpent(instance, plan.tokenLimit));
      return;
    }
    queue.pop(instance.step);
    state.waiting--;
    takeBlocks(state, instance, id);
    if (Number.isNaN(firstScheduledSeconds[id])) firstScheduledSeconds[id] = now;
    pushChunk(instance, id, chunk, progress);
  }
}

function hasPlace(state: RunState, instance: Instance, id: number): boolean {
  const { admission } = state.parts;
  return instance.holders < instance.seats && admission.fits(instance, id);
}

/**
 * Preempts running requests of lower priority than the waiting one, lowest first, if enough of them
 * would make a place.
 * @returns whether it did
 */
function preemptFor(state: RunState, instance: Instance, id: number, progress: Progress): boolean {
  const { priority, admission, alloc } = state.parts;
  const { prefillTokens } = state.requests;
  const keyOf = (each: number) => runningKey(state, instance, each);
  const waitingKey = priority.waitingKey?.(id) ?? priority.rank(id, 0, 0);
  const candidates = [...instance.decoding.subarray(0, instance.decodingCount)]
    .filter((each) => keyOf(each) > waitingKey)
    .sort((a, b) => keyOf(b) - keyOf(a) || b - a);
  const wanted =
    alloc.entryBlocks(prefillTokens[id] as number) +
    admission.spareBlocks(instance.watermarkBlocks);
  let free = instance.blocksTotal - instance.blocksUsed;
  let victims = 0;
  let seats = instance.seats - instance.holders;
  let uncommitted =
    instance.blocksTotal - instance.committedBlocks - admission.commits(id, instance.blockTokens);
  const isEnough = () => free >= wanted && seats >= 1 && uncommitted >= 0;
  while (victims < candidates.length && !isEnough()) {
    const victim = candidates[victims++] as number;
    // Its blocks for this iteration have been taken already.
    free += heldInBatch(state, instance, victim);
    uncommitted += admission.commits(victim, instance.blockTokens);
    seats++;
  }
  if (victims === 0 || !isEnough()) return false;
  for (const each of candidates.slice(0, victims)) {
    const taken = heldInBatch(state, instance, each) - blocksHeld(state, instance, each);
    instance.blocksUsed -= taken;
    preempt(state, instance, each, 'priority', id);
    if (instance.hasDecodes) progress.tokens--;
  }
  compactDecoding(state, instance);
  instance.hasDecodes = instance.hasDecodes && instance.decodingCount > 0;
  return true;
}

function runningKey({ parts, base }: RunState, { step }: Instance, id: number): number {
  const { rank, decay } = parts.priority;
  const processed = (base[id] as number) + step;
  return rank(id, processed, step) - decay * step;
}

/** Blocks of a member once this iteration's token has its place. */
function heldInBatch(state: RunState, instance: Instance, id: number): number {
  const { alloc } = state.parts;
  const fed = (state.base[id] as number) + instance.step;
  return instance.hasDecodes ? alloc.heldBlocks(fed) : alloc.heldBlocks(fed - 1);
}
