import { emptyFeatures } from '../core/features';
import { layerShareSeconds } from '../cost/layer-share';
import type { BatchFeatures } from '../types';
import { joinDecoding } from './decode-list';
import { formIteration } from './form';
import { advancePass } from './layer-pass';
import { amendLog, logIteration } from './log';
import { nameBlocks, returnBlocks, returnHeldBack } from './memory';
import { beginJob, canPause, formPausable, pauseJob } from './pausing';
import { phaseWork, takeStock } from './phase-pair';
import type { Replica } from './replica';
import type { State } from './state';
import { tellFormed, tellSlowed } from './tell-tracer';

const features = emptyFeatures();

function readFeatures(state: State, replica: Replica): BatchFeatures {
  const { processed } = state.requests;
  const { chunkIds, chunkTokens, decoding, hasDecodes } = replica;
  let tokens = 0;
  let squared = 0;
  let context = 0;
  let rounded = 0;
  let pairs = 0;
  for (let i = 0; i < chunkIds.length; i++) {
    const done = processed[chunkIds[i] as number] as number;
    const chunk = chunkTokens[i] as number;
    tokens += chunk;
    squared += chunk * chunk;
    context += done;
    rounded += Math.ceil(done / 64) * 64;
    pairs += chunk * (done + chunk / 2);
  }
  features.decodeCount = hasDecodes ? decoding.length : 0;
  features.decodeContextTokens = hasDecodes ? replica.contextTokens : 0;
  features.prefillCount = chunkIds.length;
  features.prefillTokens = tokens;
  features.prefillTokensSquared = squared;
  features.prefillContextTokens = context;
  features.prefillContextTokensRounded = rounded;
  features.prefillAttentionPairs = pairs;
  const { layerPass } = replica;
  features.prefillLayerShare = layerPass === undefined ? 1 : 1 / layerPass.groups;
  features.prefillReachesHead = layerPass === undefined || layerPass.done === layerPass.groups - 1;
  if (replica.costModel.readsDecodeRange === true) {
    let shortest = Infinity;
    let longest = 0;
    for (let i = 0; hasDecodes && i < decoding.length; i++) {
      const each = processed[decoding[i] as number] as number;
      if (each < shortest) shortest = each;
      if (each > longest) longest = each;
    }
    features.decodeContextMin = longest === 0 ? 0 : shortest;
    features.decodeContextMax = longest;
  }
  return features;
}

/** Seconds of the iteration being formed, had it another prompt of so many tokens. */
export function secondsWith(state: State, replica: Replica, id: number, tokens: number): number {
  replica.chunkIds.push(id);
  replica.chunkTokens.push(tokens);
  const seconds = replica.costModel.iterationSeconds(readFeatures(state, replica));
  replica.chunkIds.pop();
  replica.chunkTokens.pop();
  return seconds;
}

/** Whether forming nothing has itself freed memory: a second look may find what the first did not. */
function canTryAgain(state: State, replica: Replica): boolean {
  if (replica.decoding.length + replica.prefillingCount === 0 && replica.heldBack.length > 0) {
    returnHeldBack(state, replica);
    return true;
  }
  const hasPreempted = state.preemptions > state.preemptionsSeen;
  state.preemptionsSeen = state.preemptions;
  return hasPreempted;
}

/** Forms and starts the next iteration of an idle replica; false when there is nothing to run. */
export function startIteration(state: State, replica: Replica): boolean {
  const isPausable = canPause(state, replica);
  const form = isPausable ? formPausable : formIteration;
  while (!form(state, replica)) {
    if (!canTryAgain(state, replica)) {
      tellFormed(state, replica, false);
      return false;
    }
  }
  state.preemptionsSeen = state.preemptions;
  const { parts, nowSeconds } = state;
  const { costModel, pipeline } = replica;
  const batch = readFeatures(state, replica);
  let seconds = layerShareSeconds(costModel, batch);
  if (!(seconds > 0) || seconds === Infinity)
    throw new RangeError(`invalid iteration time: ${seconds} s from ${costModel.label}`);
  if (state.parts.isPartitioned) {
    const work = phaseWork(costModel, batch, seconds);
    replica.progress = { work, left: 1, asOfSeconds: nowSeconds, wholeSeconds: seconds };
  }
  if (isPausable) {
    replica.job ??= beginJob(replica, seconds);
    seconds = replica.job.wholeSeconds - replica.job.executedSeconds;
  }
  const { inlineSeconds } = parts;
  if (inlineSeconds !== undefined) for (const id of replica.chunkIds) seconds += inlineSeconds(id);
  const copies = replica.copySeconds + replica.owedSeconds;
  replica.owedSeconds = 0;
  state.copyStallSeconds += copies;
  seconds += copies;
  if (pipeline !== undefined)
    seconds =
      pipeline.enter(nowSeconds, seconds, batch.decodeCount + batch.prefillTokens) - nowSeconds;
  // Layer by layer, loading and computing overlap: the longer of the two is what shows.
  const loadSeconds = Math.max(0, replica.loadedAtSeconds - nowSeconds - seconds);
  seconds = Math.max(seconds, replica.loadedAtSeconds - nowSeconds);
  tellFormed(state, replica, true, loadSeconds);
  replica.isBusy = true;
  replica.startSeconds = nowSeconds;
  replica.endSeconds = nowSeconds + seconds;
  logIteration(state, replica, seconds);
  return true;
}

/** Ends the iteration in flight: tokens, completions, prompts. */
export function finishIteration(state: State, replica: Replica): void {
  const now = replica.endSeconds;
  if (replica.isCut || replica.progress !== undefined) amendLog(replica);
  if (state.trace?.home === replica.index) tellSlowed(state, replica, takeStock(replica, now));
  if (state.trace?.home === replica.index) state.trace.count(1, replica.chunkIds.length > 0);
  if (replica.hasDecodes) advanceDecodes(state, replica, now);
  const { chunkIds, chunkTokens } = replica;
  const { layerPass } = replica;
  if (replica.isCut) pauseJob(state, replica);
  else if (layerPass === undefined || advancePass(replica, layerPass)) {
    for (let i = 0; i < chunkIds.length; i++)
      finishChunk(state, replica, chunkIds[i] as number, chunkTokens[i] as number, now);
  }
  replica.job = undefined;
  replica.progress = undefined;
  if (replica.decoding.length + replica.prefillingCount === 0 && replica.heldBack.length > 0)
    returnHeldBack(state, replica);
  replica.isBusy = false;
  replica.endSeconds = Infinity;
  chunkIds.length = 0;
  chunkTokens.length = 0;
}

/** Every member has emitted a token; those that are complete leave. */
function advanceDecodes(state: State, replica: Replica, now: number): void {
  const { requests } = state;
  const { processed, totalTokens, lastTokenSeconds, maxStallSeconds } = requests;
  const { decoding, blockTokens, cache } = replica;
  replica.step++;
  replica.contextTokens += decoding.length;
  const ended: number[] = [];
  let kept = 0;
  let sharedLast = Number.NaN;
  let shared = 0;
  for (let i = 0; i < decoding.length; i++) {
    const id = decoding[i] as number;
    const last = lastTokenSeconds[id] as number;
    const gap = now - last;
    if (gap > (maxStallSeconds[id] as number)) maxStallSeconds[id] = gap;
    lastTokenSeconds[id] = now;
    if (last === sharedLast) shared++;
    else {
      if (shared > 0) state.gaps.add(now - sharedLast, 0, 1, shared);
      sharedLast = last;
      shared = 1;
    }
    const count = (processed[id] as number) + 1;
    processed[id] = count;
    if (count === totalTokens[id]) ended.push(id);
    else {
      decoding[kept++] = id;
      // The newest token has no KV yet.
      if (cache !== undefined && (count - 1) % blockTokens === 0)
        nameBlocks(replica, id, count - 1);
    }
  }
  if (shared > 0) state.gaps.add(now - sharedLast, 0, 1, shared);
  decoding.length = kept;
  for (const id of ended) {
    state.isDecoding[id] = 0;
    replica.contextTokens -= processed[id] as number;
    replica.queue.onLeave?.(id, replica.step);
    complete(state, replica, id, now);
  }
}

function complete(state: State, replica: Replica, id: number, now: number): void {
  const { requests, parts, hooks } = state;
  requests.completedSeconds[id] = now;
  if (state.trace?.id === id) state.trace.ended(now);
  requests.decodeLane[id] = replica.index;
  nameBlocks(replica, id, (requests.totalTokens[id] as number) - 1);
  replica.outstanding--;
  replica.outstandingTokens -= requests.totalTokens[id] as number;
  hooks.onCompleted(replica, id);
  if (hooks.keepsBlocks(replica, id)) {
    replica.committedBlocks -= parts.admission.commits(id, replica.blockTokens);
    replica.holders--;
  } else returnBlocks(state, replica, id, parts.former(replica).holdsUntilEmpty);
}

function finishChunk(
  state: State,
  replica: Replica,
  id: number,
  tokens: number,
  now: number,
): void {
  const { requests } = state;
  const processed = (requests.processed[id] as number) + tokens;
  requests.processed[id] = processed;
  nameBlocks(replica, id, processed);
  if (processed < (requests.prefillTokens[id] as number)) {
    replica.tail.push(id);
    return;
  }
  // The prefill emits a token of its own.
  requests.isPrefilled[id] = 1;
  requests.processed[id] = processed + 1;
  requests.prefillLane[id] = replica.index;
  const last = requests.lastTokenSeconds[id] as number;
  if (Number.isNaN(last)) requests.firstTokenSeconds[id] = now;
  else {
    state.gaps.add(now - last, 0, 1, 1);
    if (now - last > (requests.maxStallSeconds[id] as number))
      requests.maxStallSeconds[id] = now - last;
  }
  requests.lastTokenSeconds[id] = now;
  if (processed + 1 === requests.totalTokens[id]) complete(state, replica, id, now);
  else if (!state.hooks.onPrefilled(replica, id)) joinDecoding(state, replica, id, 1);
}
