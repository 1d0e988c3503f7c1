import type { EvictionOrder } from '../parts/eviction';
import type { BlockContents } from '../vllm-v1/block-contents';
import { createBlockIndex } from './block-index';
import { type CachedBlock, coldBlock } from './cached-block';
import { createTails, type Tails, type TokenIds } from './radix-tails';
import { createVictims, scannedVictims } from './victims';

/** What a cache has of a request. */
export interface Hit {
  /** Tokens that need not be computed. */
  readonly tokens: number;
  /** Blocks of the cache that the request would share, and those of them that somebody holds now. */
  readonly blocks: number;
  readonly heldBlocks: number;
}

/**
 * Finished requests' KV that stays on a replica until its place is needed. Blocks are either used
 * (somebody holds them; the replica counts these), cached (nobody does, the content is kept) or free.
 */
export interface BlockCache {
  /** Blocks that nobody holds and that keep their content. */
  readonly cachedBlocks: number;
  /** What it has of a request that is about to enter. */
  lookup(id: number): Hit;
  /** Holds those blocks for the request. `wokenBlocks` of them were cached until now. */
  acquire(id: number): Hit & { readonly wokenBlocks: number };
  /**
   * The request's first `kvTokens` tokens have KV: full blocks among them can be found from now on.
   * Of `duplicates` the cache had the same content, and those are held instead; `wokenBlocks` of them
   * were cached until now.
   */
  name(id: number, kvTokens: number): { readonly duplicates: number; readonly wokenBlocks: number };
  /** Tokens of what a request that has entered reuses that it computes again; none if absent. */
  repairTokens?(id: number): number;
  /** Lets go of the request's shared blocks; `sleepingBlocks` of them are cached from now on. */
  release(id: number): { readonly sharedBlocks: number; readonly sleepingBlocks: number };
  /** Evicts until no more than so many blocks are cached. */
  shrinkTo(blocks: number): void;
  /** Counts over all its blocks, held ones included: for the laws that tests hold it to. */
  census(): { readonly named: number; readonly held: number; readonly references: number };
}

export interface BlockCacheOptions {
  readonly contents: BlockContents;
  readonly blockTokens: number;
  readonly prefillTokens: Int32Array;
  readonly order: EvictionOrder;
  /** Whose a request is, where evicting asks for it. */
  readonly ownerOf?: ((id: number) => number) | undefined;
  /** Token ids, for a radix tree: a match then goes on within a block, which is copied. */
  readonly tokenIds: TokenIds | undefined;
  /** A block whose content is lost here, and one whose content is new here. */
  readonly onEvicted: (block: CachedBlock) => void;
  readonly onMade: (block: CachedBlock) => void;
}

interface Holder {
  /** Blocks held, from the first of the request on. */
  readonly chain: CachedBlock[];
  kvTokens: number;
}

/**
 * A tree of blocks: a block's content is its tokens and everything before it, so a request shares a
 * path from the root. Only a leaf that nobody holds can be evicted, so what is found is never cut off.
 */
export function createBlockCache(options: BlockCacheOptions): BlockCache {
  const { contents, blockTokens, prefillTokens, order, tokenIds, onEvicted } = options;
  const ownerOf = options.ownerOf ?? (() => -1);
  const takesHeads = order.takesHeads === true;
  const blocks = createBlockIndex(contents, blockTokens);
  const holders = new Map<number, Holder>();
  /** Where the last look for a request ended: the next one begins there. */
  const places = new Map<number, number>();
  const victims = order.choose === undefined ? createVictims(order) : scannedVictims(order.choose);
  const tails: Tails | undefined = tokenIds && createTails(tokenIds, blockTokens);
  let cachedBlocks = 0;
  let clock = 0;

  const blockOf = blocks.at;

  /** Full blocks that the tree has from the start of the request on. */
  function matched(id: number): number {
    // The last token of a prompt is always computed: its output is the next token.
    const most = Math.floor(((prefillTokens[id] as number) - 1) / blockTokens);
    let at = takesHeads ? 0 : Math.min(places.get(id) ?? 0, most);
    while (at > 0 && blockOf(id, at - 1) === undefined) at--;
    while (at < most && blockOf(id, at) !== undefined) at++;
    places.set(id, at);
    return at;
  }

  /** Blocks of the path that somebody holds: its first ones, since who holds a block holds those before it. */
  function heldOf(id: number, count: number): number {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((blockOf(id, middle)?.references ?? 0) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function lookup(id: number): Hit {
    const count = matched(id);
    const parent = count === 0 ? undefined : blockOf(id, count - 1);
    const most = (prefillTokens[id] as number) - 1 - count * blockTokens;
    const more = tails === undefined ? 0 : tails.longest(parent, id, count, most).tokens;
    return { tokens: count * blockTokens + more, blocks: count, heldBlocks: heldOf(id, count) };
  }

  /** @returns whether it was cached until now */
  function hold(block: CachedBlock): boolean {
    const wasCached = block.references++ === 0;
    if (wasCached) {
      cachedBlocks--;
      victims.remove(block);
    }
    return wasCached;
  }

  function sleep(block: CachedBlock): void {
    cachedBlocks++;
    block.releasedOrder = ++clock;
    if (block.children === 0 || takesHeads) victims.add(block);
  }

  function add(block: CachedBlock): void {
    if (block.parent !== undefined) {
      block.parent.children++;
      if (!takesHeads) victims.remove(block.parent);
    }
    tails?.add(block);
  }

  function forget(block: CachedBlock): void {
    const { parent } = block;
    victims.remove(block);
    cachedBlocks--;
    if (!block.isTail) blocks.remove(block);
    tails?.remove(block);
    if (parent === undefined) return;
    parent.children--;
    if (parent.children === 0 && parent.references === 0 && !takesHeads) victims.add(parent);
  }

  function fresh(id: number, index: number, parent: CachedBlock | undefined): CachedBlock {
    const block = coldBlock(
      contents.contentOf(id, index),
      parent,
      index * blockTokens,
      blockTokens,
    );
    block.createdOrder = ++clock;
    block.owner = ownerOf(id);
    block.idsAt = tokenIds?.startOf(id, index * blockTokens) ?? -1;
    return block;
  }

  /** What a request leaves beyond its full blocks is found by radix trees only. */
  function keepTail(id: number, { chain, kvTokens }: Holder): void {
    const index = chain.length;
    const tokens = kvTokens - index * blockTokens;
    if (tails === undefined || tokens <= 0 || tokens >= blockTokens) return;
    const known = tokenIds?.knownTokens(id, index * blockTokens) ?? 0;
    if (known < tokens) return;
    const parent = chain[index - 1];
    if (tails.longest(parent, id, index, tokens).tokens >= tokens) return;
    const block = fresh(id, index, parent);
    block.isTail = true;
    block.tokens = tokens;
    add(block);
    sleep(block);
  }

  return {
    get cachedBlocks() {
      return cachedBlocks;
    },
    lookup,
    acquire(id) {
      const hit = lookup(id);
      const chain: CachedBlock[] = [];
      let wokenBlocks = 0;
      for (let i = 0; i < hit.blocks; i++) {
        const block = blockOf(id, i) as CachedBlock;
        if (hold(block)) wokenBlocks++;
        block.uses++;
        block.owner = ownerOf(id);
        chain.push(block);
      }
      if (tails !== undefined && hit.tokens > hit.blocks * blockTokens) {
        const most = hit.tokens - hit.blocks * blockTokens;
        const { block } = tails.longest(chain[hit.blocks - 1], id, hit.blocks, most);
        if (block !== undefined) {
          block.uses++;
          block.releasedOrder = ++clock;
          victims.refresh(block);
        }
      }
      holders.set(id, { chain, kvTokens: hit.tokens });
      places.delete(id);
      return { ...hit, wokenBlocks };
    },
    name(id, kvTokens) {
      const holder = holders.get(id);
      if (holder === undefined) return { duplicates: 0, wokenBlocks: 0 };
      const { chain } = holder;
      holder.kvTokens = kvTokens;
      let duplicates = 0;
      let wokenBlocks = 0;
      for (let i = chain.length; (i + 1) * blockTokens <= kvTokens; i++) {
        const known = blockOf(id, i);
        if (known !== undefined) {
          duplicates++;
          if (hold(known)) wokenBlocks++;
          chain.push(known);
          continue;
        }
        const parent = chain[i - 1];
        const block = fresh(id, i, parent);
        block.references = 1;
        blocks.add(block, id, i);
        for (const tail of tails?.coveredBy(parent, block) ?? []) forget(tail);
        add(block);
        options.onMade(block);
        chain.push(block);
      }
      return { duplicates, wokenBlocks };
    },
    release(id) {
      const holder = holders.get(id);
      if (holder === undefined) return { sharedBlocks: 0, sleepingBlocks: 0 };
      holders.delete(id);
      const { chain } = holder;
      keepTail(id, holder);
      let sleepingBlocks = 0;
      // Ends first, so that ties take a sequence from its end; or the other way round.
      for (let k = 1; k <= chain.length; k++) {
        const block = chain[takesHeads ? k - 1 : chain.length - k] as CachedBlock;
        block.references--;
        if (block.references > 0) continue;
        sleep(block);
        sleepingBlocks++;
      }
      return { sharedBlocks: chain.length, sleepingBlocks };
    },
    shrinkTo(most) {
      while (cachedBlocks > most) {
        const block = victims.take();
        if (block === undefined)
          throw new RangeError(`no block to evict of ${cachedBlocks} cached`);
        onEvicted(block);
        forget(block);
      }
    },
    census() {
      let held = 0;
      let references = 0;
      for (const block of blocks.values()) {
        if (block.references > 0) held++;
        references += block.references;
      }
      return { named: blocks.size, held, references };
    },
  };
}
