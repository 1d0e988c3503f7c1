import type { BatchFeatures } from '../../types';
import { paddedTokens } from '../cuda-graphs';
import { type Experts, expectedExperts, type MoeTable } from './moe';
import type { LinkSpec } from './op-tables';

/** Ranks of a data-parallel group hold whole experts each (expert parallel), or a slice of every one. */
export type SharedExperts = 'whole' | 'sliced';

/** Tokens of one forward pass of a group: those that were asked for, and those that each rank runs. */
export interface GroupTokens {
  readonly ranks: number;
  readonly real: number;
  readonly padded: Int32Array;
}

/**
 * What the ranks of a group run in one pass. A rank without work runs one token, so that the others
 * can exchange with it. Where the largest batch fits a recorded CUDA graph all ranks pad to it, else
 * none does (vLLM `coordinate_batch_across_dp`).
 */
export function groupTokens(ranks: readonly BatchFeatures[], largestGraph: number): GroupTokens {
  const padded = Int32Array.from(ranks, (f) => Math.max(1, f.decodeCount + f.prefillTokens));
  const real = ranks.reduce((sum, f) => sum + f.decodeCount + f.prefillTokens, 0);
  const most = padded.reduce((a, b) => Math.max(a, b), 0);
  if (most <= largestGraph) padded.fill(paddedTokens(most, largestGraph));
  return { ranks: ranks.length, real, padded };
}

export interface SharedExpertsOptions {
  readonly moe: MoeTable;
  readonly experts: Experts;
  readonly exchange: Omit<LinkSpec, 'exchange'>;
  /** Bytes of the hidden state and of the router's logits of one token. */
  readonly bytesPerToken: number;
  readonly routerBytesPerToken: number;
  /** Tensor-parallel ranks of each, where the table is of one whole rank: they share experts too. */
  readonly ranksOfEach: number;
}

/**
 * Microseconds of one layer's experts over a group of p ranks: an all-gather of hidden states and
 * router logits, the experts on the tokens of all ranks, and a reduce-scatter of hidden states (vLLM
 * `allgather_reducescatter`). With whole experts a rank computes 1/p of the token-expert pairs on
 * 1/p of the experts, that is as many pairs as 1/p of the tokens on the one rank of the table; with
 * slices it computes every pair on 1/p of each expert.
 */
export function sharedExpertsMicroseconds(
  { ranks, real, padded }: GroupTokens,
  kind: SharedExperts,
  options: SharedExpertsOptions,
): number {
  const { moe, experts, exchange, bytesPerToken, routerBytesPerToken } = options;
  const parts = ranks * options.ranksOfEach;
  const all = padded.reduce((a, b) => a + b, 0);
  const activated = expectedExperts(experts, Math.max(1, real));
  const compute =
    kind === 'whole'
      ? moe.microseconds(all / parts, activated / parts)
      : moe.microseconds(all, activated) / parts;
  if (ranks === 1) return compute;
  const crossing = (ranks - 1) / ranks;
  const bytes = all * (2 * bytesPerToken + routerBytesPerToken) * crossing;
  return compute + (2 * exchange.latencySeconds + bytes / exchange.bytesPerSecond) * 1e6;
}
