import type { BatchFeatures } from '../types';
import { nextEndStep } from './decode-set';
import type { Instance } from './instance';
import type { RunState } from './run-state';

/**
 * For how many iterations the one just formed may be repeated with nothing decided in between: until
 * a member is complete, memory gets short, the former looks at the queue again, or the cost model's
 * straight piece ends. Waiting requests do not shorten it where their no stays a no: free blocks only
 * fall in a run, and seats do not change.
 */
export function repeatable(state: RunState, instance: Instance, features: BatchFeatures): number {
  const { parts } = state;
  const { decodeRun } = instance.costModel;
  if (decodeRun === undefined || instance.chunkCount > 0 || instance.copyBytes > 0) return 1;
  let most = nextEndStep(state, instance) - instance.step;
  if (most <= 1) return 1;
  const { patience, holdsUntilEmpty } = parts.former(instance);
  const { queue, prefillingCount } = instance;
  if (patience > 0 && queue.length + prefillingCount > 0) {
    most = Math.min(most, 1 + patience - instance.waited);
  } else if (queue.length > 0 && !holdsUntilEmpty) {
    const isFull = instance.holders >= instance.seats && !parts.preemption.forPriority;
    if (!isFull && !(queue.isStable && parts.admission.isMonotone)) return 1;
  }
  most = Math.min(most, decodeRun.iterations(features));
  return most <= 1 ? 1 : withinMemory(state, instance, most);
}

/** At most `most` iterations whose blocks are there without preempting anything. */
function withinMemory(state: RunState, instance: Instance, most: number): number {
  const { alloc, preemption } = state.parts;
  if (!alloc.grows) return most;
  const { growth, blockTokens, decodingCount, step } = instance;
  let free = instance.blocksTotal - instance.blocksUsed - preemption.spareBlocks;
  // In every block's length of iterations each member takes one block.
  if (decodingCount * Math.ceil((most - 1) / blockTokens) <= free) return most;
  for (let i = 1; i < most; i++) {
    free -= growth[(step + i) % blockTokens] as number;
    if (free < 0) return i;
  }
  return most;
}

/** Seconds from the start of a run to the end of its `count`th iteration. */
export function runSeconds(first: number, slope: number, count: number): number {
  return count * first + (slope * count * (count - 1)) / 2;
}

/** How many iterations of a run have ended before `seconds` after its start. */
export function endedBefore(first: number, slope: number, most: number, seconds: number): number {
  // Guess by the quadratic formula, then settle what rounding leaves.
  const b = first - slope / 2;
  const root = Math.sqrt(b * b + 2 * slope * seconds);
  // Of the two forms of the root, the one that does not subtract nearly equal numbers.
  const guess =
    slope === 0 ? seconds / first : b > 0 ? (2 * seconds) / (b + root) : (root - b) / slope;
  let count = Math.max(0, Math.min(most, Math.floor(guess)));
  while (count > 0 && runSeconds(first, slope, count) >= seconds) count--;
  while (count < most && runSeconds(first, slope, count + 1) < seconds) count++;
  return count;
}

/** The first end of an iteration after now in a run; Infinity for an idle replica. */
export function iterationEndSeconds(instance: Instance, nowSeconds: number): number {
  if (!instance.isBusy) return Infinity;
  const { startSeconds, runFirstSeconds: first, runSlopeSeconds: slope, runIterations } = instance;
  if (runIterations === 1) return instance.endSeconds;
  let ended = endedBefore(first, slope, runIterations - 1, nowSeconds - startSeconds);
  let end = startSeconds + runSeconds(first, slope, ended + 1);
  // One that ends now has been seen.
  while (end <= nowSeconds && ended + 1 < runIterations)
    end = startSeconds + runSeconds(first, slope, ++ended + 1);
  return end;
}
