import type { BlockContents } from './block-contents';
import { type BlockPool, createBlockPool, NO_BLOCK } from './block-pool';

/** KV blocks of the requests of one replica, after vLLM V1's KV cache manager. */
export interface KvManager {
  readonly pool: BlockPool;
  readonly blockTokens: number;
  /** Whether `index` ever names anything. */
  readonly canShare: boolean;
  /**
   * Tokens at the start of request `id` whose blocks are cached: full blocks, and at most
   * `knownTokens - 1` tokens, because the last one must be computed for its logits. The blocks
   * found stay in `found` until the next call.
   */
  findPrefix(id: number, knownTokens: number): number;
  /**
   * Gives slots for all tokens up to `computed + newTokens`, holding the prefix that `findPrefix`
   * has just found if `isAdmission`. All or nothing.
   *
   * @param reserveTokens the call fails unless so many tokens would fit too; 0 to ask for no more
   */
  allocate(
    id: number,
    computed: number,
    newTokens: number,
    isAdmission: boolean,
    reserveTokens: number,
  ): boolean;
  /**
   * True when the admission of `id` with so many known tokens was refused, on a reservation, and
   * nothing since could turn that into a yes: no block was released or named.
   */
  isStillRefused(id: number, knownTokens: number): boolean;
  /** Blocks that request `id` lacks for its first `tokens` tokens. */
  missing(id: number, tokens: number): number;
  /** Gives one more block, which must be free. */
  grow(id: number): void;
  /** Tokens that the blocks of request `id` hold. */
  slotsOf(id: number): number;
  /** Whether `index` would name anything. */
  hasUnnamed(id: number, tokens: number): boolean;
  /** Indexes the full blocks of the first `tokens` tokens that other requests may share. */
  index(id: number, tokens: number): void;
  /**
   * Indexes the rest of them too. Only the request itself can find those again, so it is enough to
   * do so before it is preempted.
   */
  indexOwn(id: number, tokens: number): void;
  /** Releases a request's blocks, the last first, so that its prefix is evicted last. */
  free(id: number): void;
  blocksOf(id: number): readonly number[];
}

/**
 * @param blocks blocks of the pool
 * @param contents names of full blocks; undefined turns prefix caching off
 * @param requests ids are below it
 */
export function createKvManager(
  blocks: number,
  blockTokens: number,
  contents: BlockContents | undefined,
  requests: number,
): KvManager {
  const pool = createBlockPool(blocks);
  /** Block tables, by request; one that is given back serves the next request. */
  const held: (Int32Array | undefined)[] = new Array(requests).fill(undefined);
  const spare: Int32Array[] = [];
  const slots = new Int32Array(requests);
  const indexed = new Int32Array(requests);
  let found = new Int32Array(64);
  let foundCount = 0;
  const none: readonly number[] = [];
  let refusedId = NO_BLOCK;
  let refusedReserve = 0;
  let refusedChanges = 0;

  /** The table of a request with room for `blocks`. */
  function tableFor(id: number, blocks: number): Int32Array {
    const table = held[id] ?? spare.pop() ?? new Int32Array(64);
    if (table.length >= blocks) {
      held[id] = table;
      return table;
    }
    const larger = new Int32Array(Math.max(blocks, table.length * 2));
    larger.set(table);
    held[id] = larger;
    return larger;
  }

  function indexUpTo(id: number, blocks: number): void {
    const from = indexed[id] as number;
    const table = held[id];
    if (contents === undefined || table === undefined || blocks <= from) return;
    for (let i = from; i < blocks; i++) pool.name(table[i] as number, contents.contentOf(id, i));
    indexed[id] = blocks;
  }

  return {
    pool,
    blockTokens,
    canShare: contents?.canShare ?? false,
    isStillRefused: (id, known) =>
      id === refusedId && known === refusedReserve && pool.changes === refusedChanges,
    missing(id, tokens) {
      const lacking = tokens - (slots[id] as number);
      return lacking <= 0 ? 0 : Math.ceil(lacking / blockTokens);
    },
    grow(id) {
      const blocks = (slots[id] as number) / blockTokens;
      const table = tableFor(id, blocks + 1);
      table[blocks] = pool.take();
      slots[id] = (blocks + 1) * blockTokens;
    },
    findPrefix(id, knownTokens) {
      foundCount = 0;
      if (contents === undefined) return 0;
      const most = Math.floor((knownTokens - 1) / blockTokens);
      for (let i = 0; i < most; i++) {
        const block = pool.find(contents.contentOf(id, i));
        if (block === NO_BLOCK) break;
        if (foundCount === found.length) {
          const larger = new Int32Array(found.length * 2);
          larger.set(found);
          found = larger;
        }
        found[foundCount++] = block;
      }
      return foundCount * blockTokens;
    },
    allocate(id, computed, newTokens, isAdmission, reserveTokens) {
      if (!isAdmission && computed + newTokens <= (slots[id] as number)) return true;
      const hits = isAdmission ? foundCount : 0;
      const before = (slots[id] as number) / blockTokens;
      const known = before + hits;
      const wanted = Math.max(Math.ceil((computed + newTokens) / blockTokens), known);
      const reserved = Math.ceil(reserveTokens / blockTokens);
      // A hit that nobody holds leaves the free queue too.
      let idle = 0;
      for (let i = 0; i < hits; i++) if (pool.references(found[i] as number) === 0) idle++;
      if (Math.max(wanted, reserved) - known + idle > pool.freeCount) {
        if (isAdmission && reserveTokens > 0) {
          refusedId = id;
          refusedReserve = reserveTokens;
          refusedChanges = pool.changes;
        }
        return false;
      }
      const table = tableFor(id, wanted);
      for (let i = 0; i < hits; i++) {
        pool.hold(found[i] as number);
        table[before + i] = found[i] as number;
      }
      if (hits > 0) indexed[id] = hits;
      pool.takeInto(table, known, wanted - known);
      slots[id] = wanted * blockTokens;
      foundCount = 0;
      return true;
    },
    slotsOf: (id) => slots[id] as number,
    hasUnnamed(id, tokens) {
      if (contents === undefined) return false;
      const from = indexed[id] as number;
      return Math.floor(tokens / blockTokens) > from && contents.sharedBlocks(id) > from;
    },
    index(id, tokens) {
      const blocks = Math.floor(tokens / blockTokens);
      if (contents === undefined || blocks <= (indexed[id] as number)) return;
      indexUpTo(id, Math.min(blocks, contents.sharedBlocks(id)));
    },
    indexOwn: (id, tokens) => indexUpTo(id, Math.floor(tokens / blockTokens)),
    free(id) {
      const table = held[id];
      if (table === undefined) return;
      pool.releaseFrom(table, (slots[id] as number) / blockTokens);
      spare.push(table);
      held[id] = undefined;
      slots[id] = 0;
      indexed[id] = 0;
    },
    blocksOf: (id) => Array.from(held[id] ?? none).slice(0, (slots[id] as number) / blockTokens),
  };
}
