import { removeId } from '../core/id-queue';
import { restartRequest } from '../core/requests';
import type { TracePreemption } from '../trace/types';
import { leaveDecoding } from './decode-list';
import type { Replica } from './replica';
import type { State } from './state';

/** Takes `count` more blocks, out of the cache where too few are free. */
function takeFree(replica: Replica, count: number): void {
  replica.blocksUsed += count;
  replica.cache?.shrinkTo(replica.blocksTotal - replica.blocksUsed);
}

/** Takes the blocks of a request that enters; those that the cache has are shared. */
export function takeBlocks(state: State, replica: Replica, id: number): void {
  const { alloc, admission } = state.parts;
  const { blocksHeld, prefillTokens } = state.requests;
  const entry = alloc.entryBlocks(prefillTokens[id] as number);
  let shared = 0;
  if (replica.cache !== undefined) {
    const hit = replica.cache.acquire(id);
    shared = hit.blocks;
    replica.blocksUsed += hit.wokenBlocks;
  }
  takeFree(replica, entry - shared);
  replica.runs?.grow(id, entry);
  blocksHeld[id] = entry;
  replica.committedBlocks += admission.commits(id, replica.blockTokens);
  replica.holders++;
}

/** Takes blocks and a seat for KV that comes from elsewhere. */
export function holdBlocks(state: State, replica: Replica, id: number, blocks: number): void {
  state.requests.blocksHeld[id] = blocks;
  takeFree(replica, blocks);
  replica.runs?.grow(id, blocks);
  replica.committedBlocks += state.parts.admission.commits(id, replica.blockTokens);
  replica.holders++;
}

/** The seat of a request that keeps its blocks for now. */
export function letGoOfSeat(state: State, replica: Replica, id: number): void {
  replica.committedBlocks -= state.parts.admission.commits(id, replica.blockTokens);
  replica.holders--;
}

/** Returns the blocks of a request; a static batch returns those of its finished requests together. */
export function returnBlocks(
  state: State,
  replica: Replica,
  id: number,
  isHeldBack: boolean,
): void {
  if (isHeldBack) {
    replica.heldBack.push(id);
    return;
  }
  letGoOfSeat(state, replica, id);
  dropBlocks(state, replica, id);
}

/** The blocks alone, of a request that holds a seat no more. */
export function dropBlocks(state: State, replica: Replica, id: number): void {
  const { blocksHeld } = state.requests;
  const held = blocksHeld[id] as number;
  blocksHeld[id] = 0;
  replica.runs?.free(id);
  if (replica.cache === undefined) replica.blocksUsed -= held;
  else {
    const { sharedBlocks, sleepingBlocks } = replica.cache.release(id);
    replica.blocksUsed -= held - sharedBlocks + sleepingBlocks;
    replica.cache.shrinkTo(replica.blocksTotal - replica.blocksUsed);
  }
}

/** Lets the cache know the KV that a request has filled; a block computed twice returns. */
export function nameBlocks(replica: Replica, id: number, kvTokens: number): void {
  const { cache } = replica;
  if (cache === undefined) return;
  const { duplicates, wokenBlocks } = cache.name(id, kvTokens);
  // A duplicate is given back and the block that was there first is held instead.
  replica.blocksUsed += wokenBlocks - duplicates;
}

export function returnHeldBack(state: State, replica: Replica): void {
  const ids = replica.heldBack.splice(0);
  for (const id of ids) returnBlocks(state, replica, id, false);
}

/** Sends a request back, by recompute or to host memory. Lists other than `decoding` are the caller's. */
export function preempt(
  state: State,
  replica: Replica,
  id: number,
  cause: TracePreemption['cause'],
  by: number,
): void {
  const { requests, trace } = state;
  const wasDecoding = state.isDecoding[id] === 1;
  const kvTokens = requests.processed[id] as number;
  const tell = (isSwap: boolean): void => {
    if (trace?.id === id) trace.preempted(state.nowSeconds, cause, by, kvTokens, isSwap);
  };
  state.preemptions++;
  if (wasDecoding && state.hostSwap?.out(replica, id, true) === true) {
    tell(true);
    return;
  }
  tell(false);
  if (wasDecoding) leaveDecoding(state, replica, id);
  returnBlocks(state, replica, id, false);
  restartRequest(requests, id, state.parity);
  state.hooks.onPreempted(replica, id);
}

/** Whether the token being fed needs a block more than the request holds. */
function needsBlock({ requests }: State, { blockTokens }: Replica, id: number): boolean {
  return (requests.processed[id] as number) > (requests.blocksHeld[id] as number) * blockTokens;
}

function grow(state: State, replica: Replica, id: number): void {
  if (!needsBlock(state, replica, id)) return;
  const { blocksHeld } = state.requests;
  blocksHeld[id] = (blocksHeld[id] as number) + 1;
  takeFree(replica, 1);
  replica.runs?.grow(id, 1);
}

/**
 * Takes the blocks that those who decode need for their next token, preempting from the end of the
 * list where there are too few: a free block is then asked for even where none is needed, as vLLM V0
 * and Vidur do.
 *
 * @returns whether something was preempted
 */
export function makeRoom(state: State, replica: Replica): boolean {
  const { alloc, preemption } = state.parts;
  if (!alloc.grows) return false;
  const { decoding, blocksTotal } = replica;
  let needed = 0;
  for (let i = 0; i < decoding.length; i++) {
    if (needsBlock(state, replica, decoding[i] as number)) needed++;
  }
  const leastFree = needed + preemption.spareBlocks;
  // What nobody runs for is given up before something that runs.
  while (blocksTotal - replica.blocksUsed < leastFree && state.hooks.yieldsTo(replica, -1));
  if (blocksTotal - replica.blocksUsed >= leastFree) {
    if (needed > 0) for (const id of decoding) grow(state, replica, id);
    return false;
  }
  if (preemption.mechanism === 'none')
    throw new Error(`replica ${replica.index} has run out of KV blocks with preemption none`);
  const order = [...decoding, ...replica.tail];
  let end = order.length;
  const count = decoding.length;
  for (let i = 0; i < end && i < count; i++) {
    const id = order[i] as number;
    let isOut = false;
    while (!isOut && blocksTotal - replica.blocksUsed < 1) {
      isOut = end === i + 1;
      preempt(state, replica, order[--end] as number, 'memory', id);
    }
    if (isOut) break;
    grow(state, replica, id);
  }
  replica.tail.length = Math.max(0, end - count);
  return true;
}

/** Brings back what was swapped out, oldest first, where it fits. */
export function swapIn(state: State, replica: Replica): void {
  const { swapped } = replica;
  while (swapped.length > 0 && swapInOne(state, replica, swapped.at(0)));
}

/** The same for one of them. @returns whether it fits */
export function swapInOne(state: State, replica: Replica, id: number): boolean {
  const { requests, parts, hostSwap } = state;
  if (hostSwap === undefined || replica.holders >= parts.admission.maxSequences) return false;
  const blocks = parts.alloc.heldBlocks(requests.processed[id] as number);
  const hasRoom = () =>
    replica.blocksTotal - replica.blocksUsed - blocks >=
    Math.max(replica.watermarkBlocks, parts.preemption.spareBlocks);
  while (!hasRoom()) {
    if (replica.holders > 0 || !state.hooks.yieldsTo(replica, -1)) return false;
  }
  removeId(replica.swapped, id);
  hostSwap.back(replica, id);
  return true;
}
