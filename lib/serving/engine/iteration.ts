import { emptyFeatures } from '../core/features';
import type { BatchFeatures } from '../types';
import { commitRun } from './commit-run';
import { compactDecoding, joinDecoding, leaveDecoding, takeEnded } from './decode-set';
import { formIteration } from './form';
import { type Instance, withRoom } from './instance';
import { blocksHeld, returnBlocks, returnHeldBack } from './memory';
import { endedBefore, repeatable, runSeconds } from './run-length';
import type { RunState } from './run-state';
import { tellFormed } from './tell-tracer';

const features = emptyFeatures();

function readFeatures(state: RunState, instance: Instance): BatchFeatures {
  const { processed } = state.requests;
  const { chunkIds, chunkTokens, chunkCount, hasDecodes } = instance;
  let tokens = 0;
  let squared = 0;
  let context = 0;
  let rounded = 0;
  let pairs = 0;
  for (let i = 0; i < chunkCount; i++) {
    const done = processed[chunkIds[i] as number] as number;
    const chunk = chunkTokens[i] as number;
    tokens += chunk;
    squared += chunk * chunk;
    context += done;
    rounded += Math.ceil(done / 64) * 64;
    pairs += chunk * (done + chunk / 2);
  }
  features.decodeCount = hasDecodes ? instance.decodingCount : 0;
  features.decodeContextTokens = hasDecodes ? instance.contextTokens : 0;
  features.prefillCount = chunkCount;
  features.prefillTokens = tokens;
  features.prefillTokensSquared = squared;
  features.prefillContextTokens = context;
  features.prefillContextTokensRounded = rounded;
  features.prefillAttentionPairs = pairs;
  if (instance.costModel.readsDecodeRange === true) readDecodeRange(state, instance);
  return features;
}

/** Shortest and longest context of the batch's decodes. */
function readDecodeRange(state: RunState, instance: Instance): void {
  const { decoding, decodingCount, hasDecodes, step } = instance;
  let shortest = Infinity;
  let longest = 0;
  for (let i = 0; hasDecodes && i < decodingCount; i++) {
    const context = (state.base[decoding[i] as number] as number) + step;
    if (context < shortest) shortest = context;
    if (context > longest) longest = context;
  }
  features.decodeContextMin = longest === 0 ? 0 : shortest;
  features.decodeContextMax = longest;
}

/** Whether forming nothing has itself freed memory: a second look may find what the first did not. */
function canTryAgain(state: RunState, instance: Instance): boolean {
  const isEmpty = instance.decodingCount + instance.prefillingCount === 0;
  if (isEmpty && instance.heldBack.requests > 0) {
    returnHeldBack(instance);
    return true;
  }
  const hasPreempted = state.preemptions > state.preemptionsSeen;
  state.preemptionsSeen = state.preemptions;
  return hasPreempted;
}

/** Forms and starts the next run of iterations of an idle replica; false when there is nothing to run. */
export function startRun(state: RunState, instance: Instance, now: number): boolean {
  while (!formIteration(state, instance, now)) {
    if (!canTryAgain(state, instance)) {
      tellFormed(state, instance, now, false);
      return false;
    }
  }
  // What was preempted has given memory back that the queue has not been offered yet.
  const hasPreempted = state.preemptions > state.preemptionsSeen;
  state.preemptionsSeen = state.preemptions;
  const { parts } = state;
  const { costModel, pipeline } = instance;
  const batch = readFeatures(state, instance);
  let first = costModel.iterationSeconds(batch);
  if (!(first > 0) || first === Infinity)
    throw new RangeError(`invalid iteration time: ${first} s from ${costModel.label}`);
  // In a pipeline each iteration waits for those of the other micro-batches.
  let iterations = hasPreempted || pipeline ? 1 : repeatable(state, instance, batch);
  const slope = iterations > 1 ? (costModel.decodeRun?.slopeSeconds(batch) ?? 0) : 0;
  // A run that gets faster would hide its longest gap from `StallStack`.
  if (slope < 0) iterations = 1;
  if (instance.copyBytes > 0) first += instance.copyBytes / parts.preemption.hostBytesPerSecond;
  if (pipeline !== undefined)
    first = pipeline.enter(now, first, batch.decodeCount + batch.prefillTokens) - now;
  instance.isBusy = true;
  tellFormed(state, instance, now, true);
  instance.usedAtStart = instance.blocksUsed;
  instance.startSeconds = now;
  instance.runFirstSeconds = first;
  instance.runSlopeSeconds = slope;
  instance.runIterations = iterations;
  instance.endSeconds = now + runSeconds(first, slope, iterations);
  if (instance.endSeconds > state.horizonSeconds) cutAt(instance, state.horizonSeconds);
  return true;
}

/** Shortens a run so that it ends with the iterations that end by `seconds`, or with the one under way. */
function cutAt(instance: Instance, seconds: number): void {
  const { startSeconds, runFirstSeconds: first, runSlopeSeconds: slope } = instance;
  const ended = endedBefore(first, slope, instance.runIterations, seconds - startSeconds);
  instance.runIterations = Math.max(1, ended);
  instance.endSeconds = startSeconds + runSeconds(first, slope, instance.runIterations);
}

/**
 * Something changes at `now` that the next iteration must see: what has ended of the run is settled,
 * and the iteration under way becomes its last.
 */
export function settleRun(state: RunState, instance: Instance, now: number): void {
  if (!instance.isBusy || instance.runIterations === 1) return;
  const { startSeconds, runFirstSeconds: first, runSlopeSeconds: slope } = instance;
  let ended = endedBefore(first, slope, instance.runIterations - 1, now - startSeconds);
  // The difference rounds: one that ends at this very instant is still under way.
  if (ended > 0 && startSeconds + runSeconds(first, slope, ended) >= now) ended--;
  if (ended > 0) {
    commitRun(state, instance, ended, startSeconds + runSeconds(first, slope, ended));
    instance.startSeconds += runSeconds(first, slope, ended);
    instance.runFirstSeconds = first + slope * ended;
    if (state.parts.alloc.grows) {
      const phase = instance.step % instance.blockTokens;
      instance.blocksUsed += instance.growth[phase] as number;
    }
    instance.usedAtStart = instance.blocksUsed;
    passLooks(state, instance, ended);
  }
  instance.runIterations = 1;
  instance.endSeconds = instance.startSeconds + instance.runFirstSeconds;
}

/** Counts decode iterations that were formed without looking at an empty queue, as `formIteration` would. */
function passLooks(state: RunState, instance: Instance, iterations: number): void {
  const { patience } = state.parts.former(instance);
  if (patience > 0) instance.waited = ((instance.waited - 1 + iterations) % patience) + 1;
}

/** Ends the run in flight: tokens, completions, prompts. */
export function finishRun(state: RunState, instance: Instance): void {
  const now = instance.endSeconds;
  const { runIterations } = instance;
  commitRun(state, instance, runIterations, now);
  if (runIterations > 1) passLooks(state, instance, runIterations - 1);
  if (instance.hasDecodes) completeEnded(state, instance, now);
  const { chunkIds, chunkTokens, chunkCount } = instance;
  for (let i = 0; i < chunkCount; i++)
    finishChunk(state, instance, chunkIds[i] as number, chunkTokens[i] as number, now);
  if (instance.decodingCount + instance.prefillingCount === 0 && instance.heldBack.requests > 0)
    returnHeldBack(instance);
  instance.isBusy = false;
  instance.endSeconds = Infinity;
  instance.runIterations = 0;
  instance.chunkCount = 0;
}

function completeEnded(state: RunState, instance: Instance, now: number): void {
  let hasEnded = false;
  for (;;) {
    const id = takeEnded(state, instance);
    if (id < 0) break;
    const blocks = blocksHeld(state, instance, id);
    leaveDecoding(state, instance, id);
    complete(state, instance, id, blocks, now);
    hasEnded = true;
  }
  if (hasEnded) compactDecoding(state, instance);
}

function complete(
  state: RunState,
  instance: Instance,
  id: number,
  blocks: number,
  now: number,
): void {
  const { requests, parts } = state;
  requests.completedSeconds[id] = now;
  if (state.trace?.id === id) state.trace.ended(now);
  requests.decodeLane[id] = instance.index;
  returnBlocks(state, instance, id, blocks, parts.former(instance).holdsUntilEmpty);
  instance.outstanding--;
  instance.outstandingTokens -= requests.totalTokens[id] as number;
  state.hooks.onCompleted(instance);
}

function finishChunk(
  state: RunState,
  instance: Instance,
  id: number,
  tokens: number,
  now: number,
): void {
  const { requests } = state;
  const processed = (requests.processed[id] as number) + tokens;
  requests.processed[id] = processed;
  if (processed < (requests.prefillTokens[id] as number)) {
    instance.prefilling = withRoom(instance.prefilling, instance.prefillingCount);
    instance.prefilling[instance.prefillingCount++] = id;
    return;
  }
  // The prefill emits a token of its own.
  requests.isPrefilled[id] = 1;
  requests.processed[id] = processed + 1;
  requests.prefillLane[id] = instance.index;
  const last = requests.lastTokenSeconds[id] as number;
  if (Number.isNaN(last)) requests.firstTokenSeconds[id] = now;
  else {
    state.gaps.add(now - last, 0, 1, 1);
    if (now - last > (requests.maxStallSeconds[id] as number))
      requests.maxStallSeconds[id] = now - last;
  }
  requests.lastTokenSeconds[id] = now;
  if (processed + 1 === requests.totalTokens[id])
    complete(state, instance, id, blocksHeld(state, instance, id), now);
  else if (!state.hooks.onPrefilled(instance, id)) joinDecoding(state, instance, id, 1);
}
