import { type EvictionContext, eviction } from '../parts/eviction';
import { reuseRepair } from '../parts/reuse-repair';
import { type BlockContents, createBlockContents } from '../vllm-v1/block-contents';
import { type BlockCache, createBlockCache } from './block-cache';
import { type ChunkCache, createChunkCache } from './chunk-cache';
import { createChunkContents } from './chunk-contents';
import type { Estimator } from './estimator';
import type { GeneralOptions } from './first-role';
import { createFutureUse } from './future-use';
import { tokenIdsOf } from './radix-tails';
import type { SessionBook } from './session-book';
import type { State } from './state';
import { createTiers, type Piece, type Tiers, type TiersOptions } from './tiers';

/** What a strategy keeps of KV, and where. */
export interface Reuse {
  /** The cache of a replica that prefills. */
  readonly cacheOf: (replica: number) => BlockCache;
  readonly tiers: Tiers | undefined;
  /** Names of the first blocks of a request's KV; none where chunks are named instead. */
  readonly blockNames: BlockContents | undefined;
}

/** Undefined without a prefix index. */
export function createReuse(
  options: GeneralOptions,
  estimator: Estimator,
  state: () => State,
  book: SessionBook,
): Reuse | undefined {
  const { strategy, kvPlan, kvBytesPerToken, plans, lanesPerReplica } = options;
  const { prefixIndex, tierStore } = strategy;
  if (prefixIndex.type === 'none') return undefined;
  const tiersOf = (source: Pick<TiersOptions, 'pieces' | 'isPrefix'>): Tiers | undefined =>
    tierStore.type === 'none'
      ? undefined
      : createTiers({
          ...source,
          part: tierStore,
          replicas: plans[0].replicas,
          lanesPerReplica,
          blockTokens: kvPlan.blockTokens,
          bytesPerToken: kvBytesPerToken,
          estimator,
          state,
        });
  const contextOf: ContextOf = (nextUse) => ({
    recomputeSeconds: estimator.marginalSeconds,
    nextUse,
    nowSeconds: () => state().nowSeconds,
    session: book.viewOf,
  });
  return prefixIndex.type === 'chunk'
    ? chunkReuse(
        options,
        prefixIndex.chunkTokens,
        contextOf(() => Infinity),
        tiersOf,
      )
    : prefixReuse(options, contextOf, book, tiersOf);
}

type ContextOf = (nextUse: EvictionContext['nextUse']) => EvictionContext;
type MakeTiers = (source: Pick<TiersOptions, 'pieces' | 'isPrefix'>) => Tiers | undefined;

function prefixReuse(
  { strategy, workload, requests, kvPlan }: GeneralOptions,
  contextOf: ContextOf,
  book: SessionBook,
  tiersOf: MakeTiers,
): Reuse {
  const { blockTokens } = kvPlan;
  const contents = createBlockContents(workload.content, requests.totalTokens, blockTokens);
  const nextUse =
    strategy.eviction.type === 'belady'
      ? createFutureUse(
          contents,
          workload.promptTokens,
          blockTokens,
          (id) => !Number.isNaN(requests.firstScheduledSeconds[id]),
          workload.programs === undefined ? undefined : requests.arrivalSeconds,
        )
      : () => Infinity;
  function* pieces(_: number, id: number, hitTokens: number): Iterable<Piece> {
    const most = Math.floor(((requests.prefillTokens[id] as number) - 1) / blockTokens);
    for (let i = Math.floor(hitTokens / blockTokens); i < most; i++)
      yield { content: contents.contentOf(id, i), tokens: blockTokens, reusedTokens: blockTokens };
  }
  const tiers = tiersOf({ pieces, isPrefix: true });
  return {
    tiers,
    blockNames: contents,
    cacheOf: (replica) =>
      createBlockCache({
        contents,
        blockTokens,
        prefillTokens: requests.prefillTokens,
        order: eviction(strategy.eviction, contextOf(nextUse)),
        ownerOf: book.ownerOf,
        tokenIds: strategy.prefixIndex.type === 'radix' ? tokenIdsOf(workload.content) : undefined,
        onEvicted: (block) => tiers?.onEvicted(replica, block),
        onMade: ({ content, tokens }) => tiers?.onMade(replica, content, tokens),
      }),
  };
}

function chunkReuse(
  { strategy, workload, kvPlan }: GeneralOptions,
  chunkTokens: number,
  context: EvictionContext,
  tiersOf: MakeTiers,
): Reuse {
  const { blockTokens } = kvPlan;
  const { content, promptTokens } = workload;
  const contents = createChunkContents(content, promptTokens, chunkTokens, blockTokens);
  const caches = new Map<number, ChunkCache>();
  const tiers = tiersOf({
    pieces: (replica, id) =>
      (caches.get(replica)?.missing(id) ?? []).map((each) => ({
        ...each,
        tokens: contents.chunkTokens,
      })),
    isPrefix: false,
  });
  return {
    tiers,
    blockNames: undefined,
    cacheOf(replica) {
      const cache = createChunkCache({
        contents,
        blockTokens,
        repair: reuseRepair(strategy.reuseRepair),
        versions: strategy.reuseRepair.type === 'per-chunk' ? strategy.reuseRepair.versions : 1,
        order: eviction(strategy.eviction, context),
        onEvicted: (block) => tiers?.onEvicted(replica, block),
        onMade: (block) => tiers?.onMade(replica, block.content, block.tokens),
      });
      caches.set(replica, cache);
      return cache;
    },
  };
}
