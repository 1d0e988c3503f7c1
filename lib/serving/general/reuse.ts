import { eviction } from '../parts/eviction';
import { createBlockContents } from '../vllm-v1/block-contents';
import { type BlockCache, createBlockCache } from './block-cache';
import type { CachedBlock } from './cached-block';
import type { Estimator } from './estimator';
import { createFutureUse } from './future-use';
import type { GeneralOptions } from './one-role';
import { tokenIdsOf } from './radix-tails';

/** A maker of caches, one for each replica that prefills; undefined without a prefix index. */
export function cacheMaker(
  { strategy, workload, requests, kvPlan }: GeneralOptions,
  estimator: Estimator,
  onEvicted: (replica: number, block: CachedBlock) => void,
): ((replica: number) => BlockCache) | undefined {
  const { prefixIndex } = strategy;
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
  return (replica) =>
    createBlockCache({
      contents,
      blockTokens,
      prefillTokens: requests.prefillTokens,
      order: eviction(strategy.eviction, {
        recomputeSeconds: estimator.marginalSeconds,
        nextUse,
      }),
      tokenIds: prefixIndex.type === 'radix' ? tokenIdsOf(workload.content) : undefined,
      onEvicted: (block) => onEvicted(replica, block),
    });
}
