import {
  coResidentSeconds,
  effectiveShares,
  type PartitionCurves,
  type PhaseSeconds,
  type SmSplit,
} from '../cost/partition';
import type { SplitController } from '../parts/partition';
import type { BatchFeatures, CostModel } from '../types';
import type { Replica } from './replica';

/** How far an iteration is that runs beside another one, as fast as that lets it. */
export interface PhaseProgress {
  /** On the whole accelerator, alone. */
  readonly work: PhaseSeconds;
  /** Share of it that is not done, as of `asOfSeconds`. */
  left: number;
  asOfSeconds: number;
  /** What all of it would take at the speed since then. */
  wholeSeconds: number;
}

/**
 * The arithmetic and the memory traffic of a batch, scaled so that the larger is what the iteration
 * takes alone: operators that are bound by the other of the two are in neither. A model that does not
 * tell them apart is taken to be all arithmetic in prompts and all memory traffic in decodes.
 */
export function phaseWork(costModel: CostModel, f: BatchFeatures, seconds: number): PhaseSeconds {
  if (costModel.parts === undefined)
    return f.prefillCount > 0
      ? { arithmeticSeconds: seconds, memorySeconds: 0 }
      : { arithmeticSeconds: 0, memorySeconds: seconds };
  const { arithmeticSeconds, memorySeconds } = costModel.parts(f);
  const scale = seconds / Math.max(arithmeticSeconds, memorySeconds);
  return {
    arithmeticSeconds: arithmeticSeconds * scale,
    memorySeconds: memorySeconds * scale,
  };
}

/** The two lanes of one accelerator. */
export interface PhasePair {
  readonly prefill: Replica;
  readonly decode: Replica;
  readonly controller: SplitController;
  readonly curves: PartitionCurves;
}

const IDLE: PhaseSeconds = { arithmeticSeconds: 0, memorySeconds: 0 };

/**
 * Takes stock of both lanes and sets when their iterations end from now on: to be called whenever one
 * of them has started or ended. A new split acts at once.
 *
 * @returns the share that each phase runs on from now on, 0 where it is idle
 * @param onSlowed told by how much less than alone a lane has got done since the last time
 */
export function retime(
  pair: PhasePair,
  now: number,
  longestWaitSeconds: number,
  onSlowed?: (replica: Replica, lostSeconds: number) => void,
): SmSplit {
  const { prefill, decode, controller, curves } = pair;
  const workOf = ({ isBusy, progress }: Replica) => (isBusy ? progress?.work : undefined);
  const split = controller.split({
    nowSeconds: now,
    prefill: workOf(prefill),
    decode: workOf(decode),
    kvUse: decode.blocksUsed / decode.blocksTotal,
    longestWaitSeconds,
  });
  const times = coResidentSeconds(workOf(prefill) ?? IDLE, workOf(decode) ?? IDLE, split, curves);
  const prefillLost = takeStock(prefill, now);
  const decodeLost = takeStock(decode, now);
  if (onSlowed !== undefined) {
    onSlowed(prefill, prefillLost);
    onSlowed(decode, decodeLost);
  }
  setEnd(prefill, times.prefillSeconds, now);
  setEnd(decode, times.decodeSeconds, now);
  const isShared = prefill.isBusy && decode.isBusy;
  const { prefillShare, decodeShare } = isShared ? effectiveShares(split) : split;
  return {
    prefillShare: prefill.isBusy ? prefillShare : 0,
    decodeShare: decode.isBusy ? decodeShare : 0,
  };
}

/** Books what a lane has done at its speed so far. @returns the seconds that it lost to the other */
export function takeStock({ isBusy, progress }: Replica, now: number): number {
  if (!isBusy || progress === undefined) return 0;
  const seconds = now - progress.asOfSeconds;
  const done = Math.min(progress.left, seconds / progress.wholeSeconds);
  progress.left = Math.max(0, progress.left - done);
  progress.asOfSeconds = now;
  const { arithmeticSeconds, memorySeconds } = progress.work;
  return Math.max(0, seconds - done * Math.max(arithmeticSeconds, memorySeconds));
}

function setEnd(replica: Replica, wholeSeconds: number, now: number): void {
  const { progress } = replica;
  if (!replica.isBusy || progress === undefined) return;
  progress.wholeSeconds = wholeSeconds;
  replica.endSeconds = now + progress.left * wholeSeconds;
}
