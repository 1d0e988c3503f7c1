import { SHARE_UNIT } from '../../serving/lane-roles';
import { firstStartAtOrAfter, type LaneIndex, sumBefore } from './lane-index';

/** What an area holds of one link, or of one way of a store. */
export interface LinkAggregate {
  readonly transfers: number;
  readonly busyFraction: number;
  readonly kvTokens: number;
  readonly meanSeconds: number;
  readonly longestSeconds: number;
  /** Of the time that it was busy. */
  readonly tokensPerSecond: number;
}

/** Transfers that start in the span, busy time that lies in it. */
export function aggregateLink(
  index: LaneIndex,
  startSeconds: number,
  endSeconds: number,
): LinkAggregate {
  const { lane, count } = index;
  const first = firstStartAtOrAfter(lane.startSeconds, count, startSeconds);
  const last = firstStartAtOrAfter(lane.startSeconds, count, endSeconds, first);
  const span = (prefix: Float64Array) => (prefix[last] as number) - (prefix[first] as number);
  const busy =
    sumBefore(index, index.busy, endSeconds) - sumBefore(index, index.busy, startSeconds);
  const isEmpty = last <= first;
  const seconds = span(index.busy);
  const longest = index.longest.at(first, last);
  return {
    transfers: last - first,
    busyFraction: endSeconds > startSeconds ? busy / (endSeconds - startSeconds) : 0,
    kvTokens: span(index.prefillTokens),
    meanSeconds: isEmpty ? Number.NaN : seconds / (last - first),
    longestSeconds: isEmpty ? Number.NaN : (lane.durationSeconds[longest] as number),
    tokensPerSecond: seconds > 0 ? span(index.prefillTokens) / seconds : Number.NaN,
  };
}

/** What an area holds of one accelerator that two phases share: means over all of its time. */
export interface ShareAggregate {
  readonly prefillShare: number;
  readonly decodeShare: number;
  /** Periods of constant shares that start in it. */
  readonly periods: number;
}

export function aggregateShares(
  index: LaneIndex,
  startSeconds: number,
  endSeconds: number,
): ShareAggregate {
  const { lane, count } = index;
  const first = firstStartAtOrAfter(lane.startSeconds, count, startSeconds);
  const last = firstStartAtOrAfter(lane.startSeconds, count, endSeconds, first);
  const length = Math.max(1e-12, endSeconds - startSeconds);
  const mean = (prefix: Float64Array) =>
    (sumBefore(index, prefix, endSeconds) - sumBefore(index, prefix, startSeconds)) / length;
  const prefillShare = mean(index.prefillBusy);
  // The busy time of such a lane counts by what both shares are together.
  return { prefillShare, decodeShare: mean(index.busy) - prefillShare, periods: last - first };
}

/** The shares of one row, between 0 and 1. */
export function sharesAt({ lane }: LaneIndex, i: number): { prefill: number; decode: number } {
  return {
    prefill: (lane.prefillTokens[i] ?? 0) / SHARE_UNIT,
    decode: (lane.decodeTokens[i] ?? 0) / SHARE_UNIT,
  };
}
