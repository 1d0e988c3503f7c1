import { type Instance, withRoom } from './instance';
import type { RunState } from './run-state';

/** Steps, modulo the block size, at which a member takes a new block: where its KV fills whole blocks. */
function growthPhase(base: number, blockTokens: number): number {
  const phase = (1 - base) % blockTokens;
  return phase < 0 ? phase + blockTokens : phase;
}

/**
 * A request begins to decode. Its last token was emitted at its `lastTokenSeconds`.
 * @param emitted 1 from a prefill, which emits a token; 0 for one that comes back from host memory
 */
export function joinDecoding(
  state: RunState,
  instance: Instance,
  id: number,
  emitted: 0 | 1,
): void {
  const { requests, parts } = state;
  const processed = requests.processed[id] as number;
  const { step } = instance;
  const last = requests.lastTokenSeconds[id] as number;
  if (instance.decodingCount === 0) {
    instance.lastStepEndSeconds = last;
    instance.stalls.clear();
  }
  state.base[id] = processed - step;
  state.endStep[id] = step + (requests.totalTokens[id] as number) - processed;
  state.decodesOn[id] = instance.index;
  state.stallFrom[id] = step;
  if (last !== instance.lastStepEndSeconds) {
    instance.joiners = withRoom(instance.joiners, instance.joinerCount);
    instance.joiners[instance.joinerCount++] = id;
    // Its first gap is its own; the shared ones count from the second on.
    state.stallFrom[id] = step + 1;
  }
  instance.contextTokens += processed;
  if (parts.alloc.grows) {
    const phase = growthPhase(processed - step, instance.blockTokens);
    instance.growth[phase] = (instance.growth[phase] as number) + 1;
  }
  insertByRank(state, instance, id, parts.preemption.rank(id, processed, step));
  pushEnd(instance, state.endStep[id] as number, id);
  instance.queue.onJoin?.(id, step, emitted);
}

/** Puts the request after those of its rank and before those of a higher one. */
function insertByRank(state: RunState, instance: Instance, id: number, rank: number): void {
  instance.decoding = withRoom(instance.decoding, instance.decodingCount);
  const { decoding } = instance;
  state.rank[id] = rank;
  let at = instance.decodingCount++;
  while (at > 0 && (state.rank[decoding[at - 1] as number] as number) > rank) {
    decoding[at] = decoding[at - 1] as number;
    at--;
  }
  decoding[at] = id;
}

/**
 * Settles the columns of a member that stops decoding. It stays in the list: the caller takes out
 * everything with `endStep` -1 in one pass.
 */
export function leaveDecoding(state: RunState, instance: Instance, id: number): void {
  const { requests } = state;
  const base = state.base[id] as number;
  const processed = base + instance.step;
  requests.processed[id] = processed;
  instance.contextTokens -= processed;
  if (state.parts.alloc.grows) {
    const phase = growthPhase(base, instance.blockTokens);
    instance.growth[phase] = (instance.growth[phase] as number) - 1;
  }
  const stall = instance.stalls.largestAfter(state.stallFrom[id] as number);
  if (stall > (requests.maxStallSeconds[id] as number)) requests.maxStallSeconds[id] = stall;
  if (!dropJoiner(instance, id)) requests.lastTokenSeconds[id] = instance.lastStepEndSeconds;
  state.endStep[id] = -1;
  instance.queue.onLeave?.(id, instance.step);
}

function dropJoiner(instance: Instance, id: number): boolean {
  const { joiners, joinerCount } = instance;
  for (let i = 0; i < joinerCount; i++) {
    if (joiners[i] !== id) continue;
    joiners.copyWithin(i, i + 1, joinerCount);
    instance.joinerCount--;
    return true;
  }
  return false;
}

/** Takes those that have left out of the list, in place. */
export function compactDecoding(state: RunState, instance: Instance): void {
  const { decoding, decodingCount } = instance;
  const { endStep } = state;
  let kept = 0;
  for (let i = 0; i < decodingCount; i++) {
    const id = decoding[i] as number;
    if ((endStep[id] as number) >= 0) decoding[kept++] = id;
  }
  instance.decodingCount = kept;
}

function pushEnd(instance: Instance, step: number, id: number): void {
  instance.endSteps = withRoom(instance.endSteps, instance.endCount);
  instance.endIds = withRoom(instance.endIds, instance.endCount);
  const { endSteps, endIds } = instance;
  let at = instance.endCount++;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((endSteps[parent] as number) <= step) break;
    endSteps[at] = endSteps[parent] as number;
    endIds[at] = endIds[parent] as number;
    at = parent;
  }
  endSteps[at] = step;
  endIds[at] = id;
}

function popEnd(instance: Instance): void {
  const { endSteps, endIds } = instance;
  const count = --instance.endCount;
  const step = endSteps[count] as number;
  const id = endIds[count] as number;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= count) break;
    if (child + 1 < count && (endSteps[child + 1] as number) < (endSteps[child] as number)) child++;
    if ((endSteps[child] as number) >= step) break;
    endSteps[at] = endSteps[child] as number;
    endIds[at] = endIds[child] as number;
    at = child;
  }
  endSteps[at] = step;
  endIds[at] = id;
}

/**
 * Whether an entry of the heap still holds: a request that was preempted may decode elsewhere by now,
 * to an end of the same number there.
 */
function isCurrentEnd(state: RunState, { index }: Instance, id: number, step: number): boolean {
  return state.endStep[id] === step && state.decodesOn[id] === index;
}

/** Step at which the next member is complete; Infinity for an empty set. */
export function nextEndStep(state: RunState, instance: Instance): number {
  while (instance.endCount > 0) {
    const step = instance.endSteps[0] as number;
    if (isCurrentEnd(state, instance, instance.endIds[0] as number, step)) return step;
    popEnd(instance);
  }
  return Infinity;
}

/** The next member that is complete by now, or -1; taken off the heap. */
export function takeEnded(state: RunState, instance: Instance): number {
  while (instance.endCount > 0) {
    const step = instance.endSteps[0] as number;
    const id = instance.endIds[0] as number;
    const isCurrent = isCurrentEnd(state, instance, id, step);
    if (isCurrent && step > instance.step) return -1;
    popEnd(instance);
    if (isCurrent) return id;
  }
  return -1;
}
