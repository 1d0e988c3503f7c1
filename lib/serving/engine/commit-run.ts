import type { Instance } from './instance';
import { runSeconds } from './run-length';
import { beginRuns, reserveRows } from './run-log';
import type { RunState } from './run-state';

/** Iterations kept one by one over all lanes; beyond it a row of the timeline stands for a run. */
export const MOST_LOGGED = 2_000_000;

/**
 * Books the first `count` iterations of the run in flight: log, gaps, and what decoding moves on by.
 * Completions are the caller's: only the last iteration of a run can have any.
 */
export function commitRun(
  state: RunState,
  instance: Instance,
  count: number,
  endSeconds: number,
): void {
  state.iterations += count;
  logRun(state, instance, count, endSeconds);
  if (state.trace?.home === instance.index) state.trace.count(count, instance.chunkCount > 0);
  if (!instance.hasDecodes) return;
  bookGaps(state, instance, count, endSeconds);
  instance.contextTokens += count * instance.decodingCount;
  instance.step += count;
}

/** The iteration under way when the horizon is reached: begun, and never ended. */
export function logUnfinished(state: RunState, instance: Instance): void {
  if (!instance.isBusy) return;
  state.iterations++;
  logRun(state, instance, 1, instance.endSeconds);
}

/** One row per iteration, or one for all; `blocksUsed` moves on to the last iteration's. */
function logRun(state: RunState, instance: Instance, count: number, endSeconds: number): void {
  const { log, hasDecodes, growth, blockTokens, step, startSeconds } = instance;
  const { runFirstSeconds: first, runSlopeSeconds: slope } = instance;
  const grows = hasDecodes && state.parts.alloc.grows;
  const decodes = hasDecodes ? instance.decodingCount : 0;
  const batch = decodes + instance.chunkCount;
  let prefill = 0;
  for (let i = 0; i < instance.chunkCount; i++) prefill += instance.chunkTokens[i] as number;
  const isKept = state.logged < MOST_LOGGED;
  const rows = isKept ? count : 1;
  state.logged += rows;
  if (!isKept) beginRuns(log);
  reserveRows(log, rows);
  const row = log.count;
  log.count += rows;
  let used = instance.usedAtStart;
  let blockSeconds = 0;
  let phase = step % blockTokens;
  for (let i = 0; i < count; i++) {
    if (i > 0 && grows) {
      phase = phase + 1 === blockTokens ? 0 : phase + 1;
      used += growth[phase] as number;
    }
    const duration = first + slope * i;
    blockSeconds += used * duration;
    if (isKept || i === 0) {
      const at = row + i;
      log.startSeconds[at] = i === 0 ? startSeconds : startSeconds + runSeconds(first, slope, i);
      log.durationSeconds[at] = isKept ? duration : endSeconds - startSeconds;
      log.prefillTokens[at] = prefill;
      log.decodeTokens[at] = decodes;
      log.batchSize[at] = batch;
      log.queueLength[at] = instance.queueAtStart;
      log.kvBlocksUsed[at] = used;
    }
  }
  if (!isKept) log.runIterations[row] = count;
  instance.blocksUsed += used - instance.usedAtStart;
  const { totals } = log;
  totals.busySeconds += endSeconds - startSeconds;
  totals.batchSum += batch * count;
  totals.kvBlockSeconds += blockSeconds;
  if (used > totals.kvMax) totals.kvMax = used;
  totals.lastEndSeconds = endSeconds;
}

function bookGaps(state: RunState, instance: Instance, count: number, endSeconds: number): void {
  const { gaps } = state;
  const { runFirstSeconds: first, runSlopeSeconds: slope, step, stalls } = instance;
  const { decodingCount, joinerCount, startSeconds, lastStepEndSeconds } = instance;
  if (joinerCount === 0 && lastStepEndSeconds === startSeconds) {
    gaps.add(first, slope, count, decodingCount);
    stalls.push(step + 1, first);
  } else {
    const end = startSeconds + first;
    const gap = end - lastStepEndSeconds;
    if (decodingCount > joinerCount) gaps.add(gap, 0, 1, decodingCount - joinerCount);
    stalls.push(step + 1, gap);
    bookJoiners(state, instance, end);
    if (count > 1) gaps.add(first + slope, slope, count - 1, decodingCount);
  }
  if (count > 1) stalls.push(step + count, first + slope * (count - 1));
  instance.lastStepEndSeconds = endSeconds;
}

/** First gaps of members that emitted outside of a decode iteration: each has its own. */
function bookJoiners({ gaps, requests }: RunState, instance: Instance, end: number): void {
  const { joiners, joinerCount } = instance;
  const { lastTokenSeconds, maxStallSeconds } = requests;
  let i = 0;
  while (i < joinerCount) {
    const last = lastTokenSeconds[joiners[i] as number] as number;
    let same = 0;
    for (; i < joinerCount; i++) {
      const id = joiners[i] as number;
      if (lastTokenSeconds[id] !== last) break;
      if (end - last > (maxStallSeconds[id] as number)) maxStallSeconds[id] = end - last;
      same++;
    }
    gaps.add(end - last, 0, 1, same);
  }
  instance.joinerCount = 0;
}
