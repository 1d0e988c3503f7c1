import type { EvictionOrder } from '../parts/eviction';
import type { ReuseRepair } from '../parts/reuse-repair';
import type { BlockCache, Hit } from './block-cache';
import { type CachedBlock, coldBlock } from './cached-block';
import type { ChunkContents } from './chunk-contents';
import { createVictims } from './victims';

/** A chunk's KV, and the chunks that were before it when it was made. */
interface Version {
  readonly block: CachedBlock;
  readonly before: ReadonlySet<number>;
}

/** What a prompt can reuse of one of its chunks. */
interface Reused {
  readonly version: Version;
  readonly tokens: number;
}

interface Holder {
  kvTokens: number;
  /** Chunks copied when it entered, whatever memory has done with them since. */
  readonly copied: ReadonlySet<number>;
  /** Tokens of those that need not be computed again. */
  readonly reusedTokens: number;
}

export interface ChunkCache extends BlockCache {
  /** Chunks of a request that has entered which were not here, in order: a store may have them. */
  missing(id: number): readonly { readonly content: number; readonly reusedTokens: number }[];
}

export interface ChunkCacheOptions {
  readonly contents: ChunkContents;
  readonly blockTokens: number;
  readonly repair: ReuseRepair;
  /** Versions of a chunk that are kept at most. */
  readonly versions: number;
  readonly order: EvictionOrder;
  readonly onEvicted: (block: CachedBlock) => void;
  readonly onMade: (block: CachedBlock) => void;
}

/**
 * KV of chunks that is reused at any place of a prompt. It is copied into the request's own blocks and
 * partly computed again there, so nothing is shared; a finished request's blocks of chunks that are
 * not kept yet are kept as they are. The tokens to be computed stand at the end of the prompt in the
 * simulation, and spread over it in truth.
 */
export function createChunkCache(options: ChunkCacheOptions): ChunkCache {
  const { contents, blockTokens, repair, versions: most, order, onEvicted, onMade } = options;
  const { chunkTokens } = contents;
  const blocksEach = chunkTokens / blockTokens;
  const kept = new Map<number, Version[]>();
  const holders = new Map<number, Holder>();
  const victims = createVictims(order);
  let cachedBlocks = 0;
  let clock = 0;

  const asUsed = (chunks: Int32Array, i: number, before: ReadonlySet<number>) => ({
    isFirst: i === 0,
    before,
    now: new Set(chunks.subarray(0, i)),
  });

  /** The version of chunk `i` that leaves least to compute; undefined where none is worth it. */
  function bestOf(chunks: Int32Array, i: number): Reused | undefined {
    let best: Reused | undefined;
    for (const version of kept.get(chunks[i] as number) ?? []) {
      const share = repair(asUsed(chunks, i, version.before));
      if (share === undefined) continue;
      const tokens = chunkTokens - Math.ceil(chunkTokens * share);
      if (best === undefined || tokens > best.tokens) best = { version, tokens };
    }
    return best;
  }
  function lookup(id: number): Hit {
    const chunks = contents.chunksOf(id);
    let tokens = 0;
    for (let i = 0; i < chunks.length; i++) tokens += bestOf(chunks, i)?.tokens ?? 0;
    return { tokens, blocks: 0, heldBlocks: 0 };
  }
  function forget(block: CachedBlock): void {
    const left = (kept.get(block.content) ?? []).filter((each) => each.block !== block);
    if (left.length === 0) kept.delete(block.content);
    else kept.set(block.content, left);
    victims.remove(block);
    cachedBlocks -= blocksEach;
  }
  function keep(content: number, before: ReadonlySet<number>): void {
    const known = kept.get(content) ?? [];
    const oldest = known[0];
    if (known.length >= most && oldest !== undefined) forget(oldest.block);
    const block = coldBlock(content, undefined, 0, chunkTokens);
    block.createdOrder = ++clock;
    block.releasedOrder = clock;
    kept.set(content, [...(kept.get(content) ?? []), { block, before }]);
    cachedBlocks += blocksEach;
    victims.add(block);
    onMade(block);
  }

  return {
    get cachedBlocks() {
      return cachedBlocks;
    },
    lookup,
    acquire(id) {
      const hit = lookup(id);
      const chunks = contents.chunksOf(id);
      const copied = new Set<number>();
      for (let i = 0; i < chunks.length; i++) {
        const block = bestOf(chunks, i)?.version.block;
        if (block === undefined) continue;
        copied.add(i);
        block.uses++;
        block.releasedOrder = ++clock;
        victims.refresh(block);
      }
      holders.set(id, { kvTokens: hit.tokens, copied, reusedTokens: hit.tokens });
      return { ...hit, wokenBlocks: 0 };
    },
    repairTokens(id) {
      const holder = holders.get(id);
      return holder === undefined ? 0 : holder.copied.size * chunkTokens - holder.reusedTokens;
    },
    name(id, kvTokens) {
      const holder = holders.get(id);
      if (holder !== undefined) holder.kvTokens = kvTokens;
      return { duplicates: 0, wokenBlocks: 0 };
    },
    release(id) {
      const tokens = holders.get(id)?.kvTokens ?? 0;
      holders.delete(id);
      const chunks = contents.chunksOf(id);
      for (let i = 0; i < chunks.length; i++) {
        if ((i + 1) * chunkTokens > tokens || bestOf(chunks, i) !== undefined) continue;
        keep(chunks[i] as number, new Set(chunks.subarray(0, i)));
      }
      return { sharedBlocks: 0, sleepingBlocks: 0 };
    },
    shrinkTo(blocks) {
      while (cachedBlocks > Math.max(0, blocks)) {
        const block = victims.take();
        if (block === undefined)
          throw new RangeError(`no chunk to evict of ${cachedBlocks} blocks`);
        onEvicted(block);
        forget(block);
      }
    },
    missing(id) {
      const copied = holders.get(id)?.copied;
      const chunks = contents.chunksOf(id);
      return [...chunks.keys()].flatMap((i) => {
        if (copied?.has(i)) return [];
        // A store keeps no record of what was before a chunk: it is repaired as behind strangers.
        const share = repair(asUsed(chunks, i, new Set([-1])));
        if (share === undefined) return [];
        const reusedTokens = chunkTokens - Math.ceil(chunkTokens * share);
        return [{ content: chunks[i] as number, reusedTokens }];
      });
    },
    census: () => ({ named: kept.size, held: 0, references: 0 }),
  };
}
