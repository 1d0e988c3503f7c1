/**
 * How fast two phases run that share the multiprocessors (SMs) of one accelerator: prompts on one
 * share of them, decodes on another (semi-PD, Nexus; 2025). Shares may sum to more than 1, as with
 * MPS limits; then both slow down in proportion.
 */
export interface PartitionCurves {
  /** SM share from which a prompt phase gains nothing more; below, speed is linear in the share. */
  readonly prefillSaturation: number;
  /** The same of a decode phase, which memory bounds long before all SMs are busy. */
  readonly decodeSaturation: number;
  /** Speed that the decodes' memory traffic keeps while prompts run beside it, and the other way round. */
  readonly contention: number;
}

/**
 * Values of an earlier simulation of ours (decodes saturate at 45 % of the
 * SMs, contention 0.85): parameters of a model, not measurements. Prompts use all SMs.
 */
export const DEFAULT_CURVES: PartitionCurves = {
  prefillSaturation: 1,
  decodeSaturation: 0.45,
  contention: 0.85,
};

export interface SmSplit {
  readonly prefillShare: number;
  readonly decodeShare: number;
}

/** Work of one phase on the whole accelerator alone, seconds. */
export interface PhaseSeconds {
  readonly arithmeticSeconds: number;
  readonly memorySeconds: number;
}

function checkShare(name: string, share: number): void {
  if (!(share > 0 && share <= 1)) throw new RangeError(`invalid ${name}: ${share} (expected 0..1)`);
}

/**
 * Speed of a phase on an SM share, over its speed on all of them: linear up to the saturation, then 1.
 * @throws RangeError for a share or a saturation outside (0, 1]
 */
export function saturatingSpeed(share: number, saturation: number): number {
  checkShare('SM share', share);
  checkShare('saturation', saturation);
  return Math.min(1, share / saturation);
}

/**
 * What a split leaves each phase: shares above 1 together are time-sliced in proportion.
 * @throws RangeError for a share outside (0, 1]
 */
export function effectiveShares({ prefillShare, decodeShare }: SmSplit): SmSplit {
  checkShare('prefillShare', prefillShare);
  checkShare('decodeShare', decodeShare);
  const over = Math.max(1, prefillShare + decodeShare);
  return { prefillShare: prefillShare / over, decodeShare: decodeShare / over };
}

/**
 * Seconds of a phase on a share: its arithmetic slows with the share, its memory traffic with the
 * share below saturation and with contention; the larger counts, as in a roofline.
 *
 * @param isShared whether the other phase runs at the same time
 */
export function phaseSeconds(
  work: PhaseSeconds,
  share: number,
  saturation: number,
  contention: number,
  isShared: boolean,
): number {
  checkShare('SM share', share);
  const bandwidth = saturatingSpeed(share, saturation) * (isShared ? contention : 1);
  return Math.max(work.arithmeticSeconds / share, work.memorySeconds / bandwidth);
}

export interface CoResident {
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
}

/**
 * Iteration times of a prompt phase and a decode phase that run beside each other under a split. An
 * engine asks again whenever one of the two starts, ends or the split changes; a phase alone, with the
 * other's work 0, is not slowed by contention.
 */
export function coResidentSeconds(
  prefill: PhaseSeconds,
  decode: PhaseSeconds,
  split: SmSplit,
  curves: PartitionCurves = DEFAULT_CURVES,
): CoResident {
  const isIdle = (work: PhaseSeconds) => work.arithmeticSeconds + work.memorySeconds === 0;
  const isShared = !isIdle(prefill) && !isIdle(decode);
  const shares = isShared ? effectiveShares(split) : split;
  const { prefillSaturation, decodeSaturation, contention } = curves;
  // The saturation of prompts bounds their arithmetic: SMs above it stay idle.
  const usable = Math.min(1, shares.prefillShare / prefillSaturation);
  return {
    prefillSeconds: phaseSeconds(prefill, usable, 1, contention, isShared),
    decodeSeconds: phaseSeconds(decode, shares.decodeShare, decodeSaturation, contention, isShared),
  };
}

export interface SplitSearch {
  readonly curves?: PartitionCurves;
  /** Which phase is made fast; the other is kept within `slack` times its best time. */
  readonly favours: 'prefill' | 'decode';
  /** At least 1. */
  readonly slack: number;
  /** Steps of the share, 20 by default: 5 %, 10 %, ... */
  readonly steps?: number;
}

/**
 * The split of one accelerator that makes the favoured phase fastest while the other takes at most
 * `slack` times what it takes with the largest share of the grid: Nexus' greedy rule, exhaustively
 * over the grid. Where no split holds the bound, the one that is kindest to the bounded phase.
 */
export function chooseSplit(
  prefill: PhaseSeconds,
  decode: PhaseSeconds,
  { curves = DEFAULT_CURVES, favours, slack, steps = 20 }: SplitSearch,
): SmSplit & CoResident {
  if (!(slack >= 1)) throw new RangeError(`invalid slack: ${slack} (expected at least 1)`);
  const options = Array.from({ length: steps - 1 }, (_, i) => {
    const prefillShare = (i + 1) / steps;
    const split = { prefillShare, decodeShare: 1 - prefillShare };
    return { ...split, ...coResidentSeconds(prefill, decode, split, curves) };
  });
  const fast = favours === 'prefill' ? 'prefillSeconds' : 'decodeSeconds';
  const bounded = favours === 'prefill' ? 'decodeSeconds' : 'prefillSeconds';
  const best = Math.min(...options.map((option) => option[bounded]));
  return options
    .filter((option) => option[bounded] <= slack * best)
    .reduce((a, b) => (b[fast] < a[fast] ? b : a));
}

/** Whether a new split is worth switching to: shares must move by more than the band. */
export function exceedsHysteresis(from: SmSplit, to: SmSplit, band: number): boolean {
  return (
    Math.max(
      Math.abs(from.prefillShare - to.prefillShare),
      Math.abs(from.decodeShare - to.decodeShare),
    ) > band
  );
}
