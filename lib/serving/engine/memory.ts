import { restartRequest } from '../core/requests';
import { compactDecoding, joinDecoding, leaveDecoding } from './decode-set';
import type { Instance } from './instance';
import type { RunState } from './run-state';

/** Takes the blocks of a request that enters. */
export function takeBlocks(state: RunState, instance: Instance, id: number): void {
  const { alloc, admission } = state.parts;
  instance.blocksUsed += alloc.entryBlocks(state.requests.prefillTokens[id] as number);
  instance.committedBlocks += admission.commits(id, instance.blockTokens);
  instance.holders++;
}

/** Returns blocks; a static batch returns those of its finished requests when all have finished. */
export function returnBlocks(
  state: RunState,
  instance: Instance,
  id: number,
  blocks: number,
  isHeldBack: boolean,
): void {
  const committed = state.parts.admission.commits(id, instance.blockTokens);
  if (isHeldBack) {
    instance.heldBack.requests++;
    instance.heldBack.blocks += blocks;
    instance.heldBack.committed += committed;
    return;
  }
  instance.blocksUsed -= blocks;
  instance.committedBlocks -= committed;
  instance.holders--;
}

export function returnHeldBack(instance: Instance): void {
  const { heldBack } = instance;
  instance.blocksUsed -= heldBack.blocks;
  instance.committedBlocks -= heldBack.committed;
  instance.holders -= heldBack.requests;
  heldBack.requests = 0;
  heldBack.blocks = 0;
  heldBack.committed = 0;
}

/** Blocks of a member of the decode set, or of a prompt under way. */
export function blocksHeld(state: RunState, instance: Instance, id: number): number {
  const { alloc } = state.parts;
  const prefill = state.requests.prefillTokens[id] as number;
  if ((state.endStep[id] as number) < 0) return alloc.entryBlocks(prefill);
  // The token about to be fed has no KV yet.
  const held = alloc.heldBlocks((state.base[id] as number) + instance.step - 1);
  return isPrepaid(state, instance, id) ? held + 1 : held;
}

/** Whether a member holds the block of its next token already. */
function isPrepaid(state: RunState, instance: Instance, id: number): boolean {
  return state.prepaid[id] === instance.step;
}

/** Blocks that the decode set takes for its next token. */
function blocksNeeded(instance: Instance): number {
  const growth = instance.growth[instance.step % instance.blockTokens] as number;
  return instance.prepaidStep === instance.step ? growth - instance.prepaidCount : growth;
}

/** Sends a request back, by recompute or to host memory, for `by`. Lists are the caller's to compact. */
export function preempt(
  state: RunState,
  instance: Instance,
  id: number,
  cause: 'memory' | 'priority',
  by: number,
): void {
  const { requests, parts } = state;
  const isDecoding = (state.endStep[id] as number) >= 0;
  const blocks = blocksHeld(state, instance, id);
  if (isPrepaid(state, instance, id)) instance.prepaidCount--;
  state.prepaid[id] = -1;
  if (isDecoding) leaveDecoding(state, instance, id);
  returnBlocks(state, instance, id, blocks, false);
  state.preemptions++;
  const isSwap = isDecoding && parts.preemption.mechanism === 'swap';
  if (state.trace?.id === id) {
    const { nowSeconds } = state.trace;
    state.trace.preempted(nowSeconds, cause, by, requests.processed[id] as number, isSwap);
  }
  if (isSwap) {
    instance.swapped.pushBack(id);
    instance.copyBytes += (requests.processed[id] as number) * state.kvBytesPerToken;
    state.swaps++;
    return;
  }
  restartRequest(requests, id, state.parity);
  state.hooks.onPreempted(instance, id);
}

let order = new Int32Array(64);

/**
 * Takes the blocks that the decode set needs for its next token, preempting from the end of the list
 * where there are too few. In short of memory the members are gone through one by one, in the order
 * of the list, a free block being asked for even where none is needed, as vLLM V0 and Vidur do.
 *
 * @returns whether something was preempted
 */
export function makeRoom(state: RunState, instance: Instance): boolean {
  const { alloc, preemption } = state.parts;
  if (!alloc.grows) return false;
  const needed = blocksNeeded(instance);
  if (instance.blocksTotal - instance.blocksUsed >= needed + preemption.spareBlocks) {
    instance.blocksUsed += needed;
    return false;
  }
  if (preemption.mechanism === 'none')
    throw new Error(`replica ${instance.index} has run out of KV blocks with preemption none`);
  const { decodingCount, prefillingFront, prefillingCount } = instance;
  let end = decodingCount + prefillingCount - prefillingFront;
  if (order.length < end) order = new Int32Array(end * 2);
  order.set(instance.decoding.subarray(0, decodingCount));
  order.set(instance.prefilling.subarray(prefillingFront, prefillingCount), decodingCount);
  for (let i = 0; i < end && i < decodingCount; i++) {
    const id = order[i] as number;
    let isOut = false;
    while (!isOut && instance.blocksTotal - instance.blocksUsed < 1) {
      isOut = end === i + 1;
      preempt(state, instance, order[--end] as number, 'memory', id);
    }
    if (isOut) break;
    const fed = (state.base[id] as number) + instance.step;
    const isNew = fed > alloc.heldBlocks(fed - 1) * instance.blockTokens;
    if (isNew && !isPrepaid(state, instance, id)) instance.blocksUsed++;
  }
  compactDecoding(state, instance);
  instance.prefillingCount = prefillingFront + Math.max(0, end - decodingCount);
  return true;
}

/** Brings back what was swapped out, oldest first, where it fits. */
export function swapIn(state: RunState, instance: Instance): void {
  const { requests, parts } = state;
  const { swapped } = instance;
  while (swapped.length > 0 && instance.holders < instance.seats) {
    const id = swapped.at(0);
    const processed = requests.processed[id] as number;
    const blocks = parts.alloc.heldBlocks(processed);
    const free = instance.blocksTotal - instance.blocksUsed - blocks;
    // Alone it comes back without the watermark: nothing else could ever make that room.
    const beside = instance.holders > 0 ? instance.watermarkBlocks : 0;
    if (free < Math.max(beside, parts.preemption.spareBlocks)) return;
    swapped.popFront();
    // Blocks for the token about to be fed are part of these.
    instance.blocksUsed += blocks;
    instance.committedBlocks += parts.admission.commits(id, instance.blockTokens);
    instance.holders++;
    instance.copyBytes += processed * state.kvBytesPerToken;
    joinDecoding(state, instance, id, 0);
  }
}
