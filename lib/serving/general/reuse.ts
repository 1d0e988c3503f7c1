import type { MachineOptions } from '../engine/machine';
import { eviction } from '../parts/eviction';
import { type BlockContents, createBlockContents } from '../vllm-v1/block-contents';
import { type BlockCache, createBlockCache } from './block-cache';
import type { Estimator } from './estimator';
import { createFutureUse } from './future-use';
import { tokenIdsOf } from './radix-tails';
import type { State } from './state';
import { createTiers, type Tiers } from './tiers';

/** What a strategy keeps of KV, and where. */
export interface Reuse {
  /** The cache of a replica that prefills. */
  readonly cacheOf: (replica: number) => BlockCache;
  readonly contents: BlockContents;
  readonly tiers: Tiers | undefined;
}

/** Undefined without a prefix index. */
export function createReuse(
  { strategy, workload, requests, kvPlan, kvBytesPerToken }: MachineOptions,
  replicas: number,
  estimator: Estimator,
  state: () => State,
): Reuse | undefined {
  const { prefixIndex, tierStore } = strategy;
  if (prefixIndex.type === 'none') return undefined;
  const { blockTokens } = kvPlan;
  const contents = createBlockContents(workload.content, requests.totalTokens, blockTokens);
  const nextUse =
    strategy.eviction.type === 'belady'
      ? createFutureUse(
          contents,
          workload.promptTokens,
          blockTokens,
          (id) => !Number.isNaN(requests.firstScheduledSeconds[id]),
        )
      : () => Infinity;
  const tiers =
    tierStore.type === 'none'
      ? undefined
      : createTiers({
          part: tierStore,
          replicas,
          contents,
          blockTokens,
          bytesPerToken: kvBytesPerToken,
          estimator,
          state,
        });
  return {
    contents,
    tiers,
    cacheOf: (replica) =>
      createBlockCache({
        contents,
        blockTokens,
        prefillTokens: requests.prefillTokens,
        order: eviction(strategy.eviction, {
          recomputeSeconds: estimator.marginalSeconds,
          nextUse,
        }),
        tokenIds: prefixIndex.type === 'radix' ? tokenIdsOf(workload.content) : undefined,
        onEvicted: (block) => tiers?.onEvicted(replica, block),
        onMade: ({ content, tokens }) => tiers?.onMade(replica, content, tokens),
      }),
  };
}
