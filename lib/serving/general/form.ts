import type { BatchPlan } from '../parts/batch-former';
import { joinDecoding } from './decode-list';
import { beginPass, type LayerPass } from './layer-pass';
import { makeRoom, preempt, swapIn, swapInOne, takeBlocks } from './memory';
import type { Replica } from './replica';
import type { Seating } from './seating';
import type { State } from './state';
import {
  budgetSpent,
  placeMissing,
  seatsTaken,
  setUnderWay,
  tellClosed,
  tellFetch,
  tellHead,
  tellRepair,
} from './tell-tracer';

/**
 * Decides the next iteration of an idle replica: the first plan that yields a batch.
 * @returns false when there is nothing to run
 */
export function formIteration(state: State, replica: Replica): boolean {
  const former = state.parts.former(replica);
  clearBatch(replica);
  tellClosed(state, replica);
  for (const id of replica.joining.splice(0)) {
    replica.loading.delete(id);
    joinDecoding(state, replica, id, 0);
  }
  state.seating?.look(state, replica);
  const plans = former.plans(replica);
  const hadRunning = replica.decoding.length > 0;
  for (let i = 0; i < plans.length; i++) {
    const plan = plans[i] as BatchPlan;
    fill(state, replica, plan);
    if (!replica.hasDecodes && replica.chunkIds.length === 0) continue;
    if (former.patience > 0) {
      if (plan.admits || (i > 0 && hadRunning)) replica.waited = 0;
      if (replica.hasDecodes) replica.waited++;
    }
    replica.queueAtStart = replica.queue.length;
    return true;
  }
  return false;
}

/** Nothing is in the iteration to be formed. */
export function clearBatch(replica: Replica): void {
  replica.chunkIds.length = 0;
  replica.chunkTokens.length = 0;
  replica.hasDecodes = false;
  replica.copySeconds = 0;
  replica.loadedAtSeconds = -Infinity;
}

interface Progress {
  tokens: number;
  longest: number;
}

function fill(state: State, replica: Replica, plan: BatchPlan): void {
  if (plan.decodes && replica.decoding.length + replica.swapped.length > 0) {
    const hasPreempted = makeRoom(state, replica);
    if (!hasPreempted && replica.swapped.length > 0) {
      if (state.seating === undefined) swapIn(state, replica);
      else bringBack(state, replica, state.seating, plan.admits);
    }
    replica.hasDecodes = replica.decoding.length > 0;
  }
  const progress = { tokens: replica.hasDecodes ? replica.decoding.length : 0, longest: 0 };
  if (replica.layerPass !== undefined) continuePass(replica, replica.layerPass, progress);
  // Nothing enters before the set is through.
  if (replica.layerPass !== undefined) {
    tellHead(state, replica, () => setUnderWay(replica));
    return;
  }
  if (plan.continues && replica.prefillingCount > 0)
    continuePrompts(state, replica, plan, progress);
  const swapped = replica.swapped.length;
  if (plan.admits && swapped > 0)
    tellHead(state, replica, () => ({ type: 'swapped-first', count: swapped }));
  // What was swapped out goes before what has not begun.
  const waitsForSwapped = state.seating === undefined && swapped > 0;
  if (plan.admits && !waitsForSwapped && replica.queue.length > 0)
    admitWaiting(state, replica, plan, progress);
  if (state.parts.layerTokens !== undefined && replica.chunkIds.length > 0)
    replica.layerPass = beginPass(replica);
}

/** Those in host memory come back as their places in the order have it. */
function bringBack(state: State, replica: Replica, seating: Seating, admits: boolean): void {
  for (;;) {
    const first = admits ? seating.firstOutside(state, replica) : undefined;
    if (first?.isSwapped === false) return;
    const id = first?.id ?? seating.firstSwapped(state, replica);
    if (id === undefined || !swapInOne(state, replica, id)) return;
  }
}

/** The set goes on with those of its prompts that were not preempted. */
function continuePass(replica: Replica, { tokens }: LayerPass, progress: Progress): void {
  const underWay = [...replica.front, ...replica.tail];
  replica.front = [];
  replica.tail = [];
  for (const id of underWay) {
    const chunk = tokens.get(id);
    if (chunk === undefined) replica.front.push(id);
    else pushChunk(replica, id, chunk, progress);
  }
  if (replica.chunkIds.length === 0) replica.layerPass = undefined;
}

/** Tokens that the next prompt may have. */
function budgetLeft(
  { parts }: State,
  replica: Replica,
  plan: BatchPlan,
  progress: Progress,
  left: number,
): number {
  // A set is of prompts: decodes do not count.
  if (parts.layerTokens !== undefined)
    return parts.layerTokens - replica.chunkTokens.reduce((a, b) => a + b, 0);
  if (!plan.isPadded) return plan.tokenLimit - progress.tokens;
  const padded = (replica.chunkIds.length + 1) * Math.max(progress.longest, left);
  return padded <= plan.tokenLimit ? left : 0;
}

/** The chunk of a prompt of which `left` tokens are not processed; 0 leaves it out. */
function chunkOf(
  state: State,
  replica: Replica,
  plan: BatchPlan,
  progress: Progress,
  left: number,
): number {
  const chunk = state.parts.chunker(left, budgetLeft(state, replica, plan, progress, left));
  if (chunk > 0 || state.parity) return chunk;
  // Alone in its iteration a prompt above the limit runs: engines do not start with such a limit.
  const isAlone = progress.tokens === 0 && replica.decoding.length === 0;
  const isAloneInPhase = !plan.decodes && replica.chunkIds.length === 0;
  return isAlone || isAloneInPhase ? state.parts.chunker(left, left) : 0;
}

function pushChunk(replica: Replica, id: number, tokens: number, progress: Progress): void {
  replica.chunkIds.push(id);
  replica.chunkTokens.push(tokens);
  progress.tokens += tokens;
  if (tokens > progress.longest) progress.longest = tokens;
}

/** Prompts under way, in their order; those that get nothing are the first of the next iteration. */
function continuePrompts(
  state: State,
  replica: Replica,
  plan: BatchPlan,
  progress: Progress,
): void {
  const { prefillTokens, processed } = state.requests;
  const underWay = [...replica.front, ...replica.tail];
  replica.front = [];
  replica.tail = [];
  for (const id of underWay) {
    const left = (prefillTokens[id] as number) - (processed[id] as number);
    const chunk = chunkOf(state, replica, plan, progress, left);
    if (chunk === 0) {
      replica.front.push(id);
      if (state.trace?.id === id) state.trace.ownBlocker = budgetSpent(replica, plan.tokenLimit);
    } else pushChunk(replica, id, chunk, progress);
  }
}

function admitWaiting(state: State, replica: Replica, plan: BatchPlan, progress: Progress): void {
  const { admission, preemption } = state.parts;
  const { firstScheduledSeconds, prefillTokens, processed } = state.requests;
  const { queue } = replica;
  while (queue.length > 0) {
    // To look at an order may take a pass over all that wait.
    if (replica.holders >= admission.maxSequences && !preemption.forPriority) return;
    const first = state.seating?.firstOutside(state, replica);
    if (first?.isSwapped === true) {
      // Beside decodes it has had its chance.
      if (!plan.decodes || !swapInOne(state, replica, first.id)) return;
      replica.hasDecodes = replica.decoding.length > 0;
      progress.tokens = replica.decoding.length + replica.chunkTokens.reduce((a, b) => a + b, 0);
      continue;
    }
    const id = first?.id ?? queue.peek(replica.step);
    if (!hasPlace(state, replica, id)) {
      if (replica.holders === 0 && state.hooks.yieldsTo(replica, id)) continue;
      if (preemption.forPriority && preemptFor(state, replica, id, progress)) continue;
      tellHead(state, replica, () => placeMissing(state, replica, id));
      return;
    }
    const batchCount = replica.chunkIds.length + (replica.hasDecodes ? replica.decoding.length : 0);
    if (batchCount >= admission.maxSequences) {
      tellHead(state, replica, () => seatsTaken(state, batchCount));
      return;
    }
    const prefill = prefillTokens[id] as number;
    const hit = replica.cache?.lookup(id).tokens ?? 0;
    const chunk = chunkOf(state, replica, plan, progress, prefill - hit);
    if (chunk === 0) {
      tellHead(state, replica, () => budgetSpent(replica, plan.tokenLimit));
      return;
    }
    if (state.hooks.staysOut(replica, id, chunk)) {
      const of = replica.chunkIds[0] as number;
      tellHead(state, replica, () => ({ type: 'spare-time', of }));
      return;
    }
    if (first === undefined) queue.pop(replica.step);
    else queue.remove(id);
    state.waiting--;
    replica.queuedSeconds -= state.queueCost[id] as number;
    takeBlocks(state, replica, id);
    if (Number.isNaN(firstScheduledSeconds[id])) firstScheduledSeconds[id] = state.nowSeconds;
    // What the radix tree copies out of a block counts as processed; stores follow full blocks.
    processed[id] = hit;
    const load = state.hooks.onEntered(replica, id);
    const known = load?.processedTokens ?? hit;
    state.queriedTokens += prefill;
    state.reusedTokens += known;
    state.hitTokens[id] = known;
    if (state.trace !== undefined) {
      const copied = replica.cache?.repairTokens?.(id) ?? 0;
      tellRepair(state, id, copied + (load?.repairTokens ?? 0));
    }
    if (load !== undefined && load.overlapsUntilSeconds === undefined) {
      replica.loading.add(id);
      tellFetch(state, id, load.reads);
      continue;
    }
    if (load?.overlapsUntilSeconds !== undefined) {
      processed[id] = known;
      replica.loadedAtSeconds = Math.max(replica.loadedAtSeconds, load.overlapsUntilSeconds);
    }
    pushChunk(replica, id, Math.min(chunk, prefill - known), progress);
  }
}

/** Whether the admission rule has room for a waiting request. */
export function hasPlace(state: State, replica: Replica, id: number): boolean {
  const { admission } = state.parts;
  if (replica.holders >= admission.maxSequences) return false;
  if (replica.cache === undefined) return admission.fits(replica, id);
  // Blocks that it would share with others that hold them cost nothing.
  const { heldBlocks } = replica.cache.lookup(id);
  replica.blocksUsed -= heldBlocks;
  const fits = admission.fits(replica, id);
  replica.blocksUsed += heldBlocks;
  return fits;
}

/**
 * Preempts running requests of lower priority than the waiting one, lowest first, if enough of them
 * would make a place.
 * @returns whether it did
 */
function preemptFor(state: State, replica: Replica, id: number, progress: Progress): boolean {
  const { priority, admission, alloc } = state.parts;
  const { prefillTokens, blocksHeld } = state.requests;
  const keyOf = (each: number) => runningKey(state, replica, each);
  const waitingKey = priority.waitingKey?.(id) ?? priority.rank(id, 0, 0);
  const candidates = replica.decoding
    .filter((each) => keyOf(each) > waitingKey)
    .sort((a, b) => keyOf(b) - keyOf(a) || b - a);
  const wanted =
    alloc.entryBlocks(prefillTokens[id] as number) + admission.spareBlocks(replica.watermarkBlocks);
  let free = replica.blocksTotal - replica.blocksUsed;
  let victims = 0;
  let seats = admission.maxSequences - replica.holders;
  let uncommitted =
    replica.blocksTotal - replica.committedBlocks - admission.commits(id, replica.blockTokens);
  const isEnough = () => free >= wanted && seats >= 1 && uncommitted >= 0;
  while (victims < candidates.length && !isEnough()) {
    const victim = candidates[victims++] as number;
    free += blocksHeld[victim] as number;
    uncommitted += admission.commits(victim, replica.blockTokens);
    seats++;
  }
  if (victims === 0 || !isEnough()) return false;
  for (const each of candidates.slice(0, victims)) {
    preempt(state, replica, each, 'priority', id);
    if (replica.hasDecodes) progress.tokens--;
  }
  replica.hasDecodes = replica.hasDecodes && replica.decoding.length > 0;
  return true;
}

function runningKey({ parts, requests }: State, { step }: Replica, id: number): number {
  const { rank, decay } = parts.priority;
  return rank(id, requests.processed[id] as number, step) - decay * step;
}
