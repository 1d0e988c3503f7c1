import type { BlockContents } from './block-contents';
import { type BlockNames, NO_RUN } from './block-names';
import { type BlockPool, createBlockPool } from './block-pool';
import { createBlockTables } from './block-tables';

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
   * nothing since could turn that into a yes: no block was released or named, or there are too few
   * even if all that was found could be held, and the block behind it is still missing.
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
}

/**
 * @param blocks blocks of the pool
 * @param contents names of full blocks; undefined turns prefix caching off
 * @param totalTokens prompt + output of each request
 */
export function createKvManager(
  blocks: number,
  blockTokens: number,
  contents: BlockContents | undefined,
  totalTokens: Int32Array,
): KvManager {
  const pool = createBlockPool(blocks);
  const tables = createBlockTables(pool, totalTokens.length);
  const slots = new Int32Array(totalTokens.length);
  /** Where the own contents of a request begin; one that was never preempted needs none. */
  const ownBases = new Map<number, number>();
  let nextOwn = 0;
  // What the last look-up found: runs, where in them, and how many blocks.
  let found = new Int32Array(3 * 16);
  let foundCount = 0;
  let foundBlocks = 0;
  /** The content that may be shared behind what was found, where there was no block of it. */
  let missed = NO_RUN;
  let refusedId = NO_RUN;
  let refusedKnown = 0;
  let refusedChanges = 0;
  let refusedMissed = NO_RUN;
  let refusedLack = 0;

  const blocksPerLink = contents?.blocksPerLink ?? 1;
  const sharedBlocks = (id: number): number =>
    contents === undefined ? 0 : contents.linksOf(id).length * blocksPerLink;

  function addFound(run: number, offset: number, length: number): void {
    if (3 * foundCount === found.length) {
      const larger = new Int32Array(found.length * 2);
      larger.set(found);
      found = larger;
    }
    found[3 * foundCount] = run;
    found[3 * foundCount + 1] = offset;
    found[3 * foundCount++ + 2] = length;
    foundBlocks += length;
  }

  /** Finds `most` contents from `from` on. @returns the first that is missing, or `NO_RUN` */
  function findContents(names: BlockNames, from: number, most: number): number {
    const { first } = names;
    const end = from + most;
    for (let at = from; at < end; ) {
      const run = at < first.length ? (first[at] as number) : NO_RUN;
      if (run === NO_RUN) return at;
      const offset = at - pool.startOf(run);
      const last = Math.min(end, at + pool.lengthOf(run) - offset);
      let next = at + 1;
      while (next < last && first[next] === run) next++;
      addFound(run, offset, next - at);
      at = next;
    }
    return NO_RUN;
  }

  /** Looks up the first `most` blocks of a chain, consecutive links at once. */
  function findShared(links: Int32Array, most: number): void {
    for (let i = 0; i * blocksPerLink < most && missed === NO_RUN; ) {
      const link = links[i] as number;
      let count = 1;
      while ((i + count) * blocksPerLink < most && links[i + count] === link + count) count++;
      const blocks = Math.min(count * blocksPerLink, most - i * blocksPerLink);
      missed = findContents(pool.shared, link * blocksPerLink, blocks);
      i += count;
    }
  }

  function nameShared(links: Int32Array, id: number, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const at = Math.floor(i / blocksPerLink);
      const content = (links[at] as number) * blocksPerLink + i - at * blocksPerLink;
      tables.name(id, content, false);
    }
  }

  function nameOwn(id: number, from: number, to: number): void {
    let base = ownBases.get(id);
    if (base === undefined) {
      base = nextOwn;
      ownBases.set(id, base);
      nextOwn += Math.ceil((totalTokens[id] as number) / blockTokens);
    }
    for (let i = from; i < to; i++) tables.name(id, base + i, true);
  }

  return {
    pool,
    blockTokens,
    canShare: contents?.canShare ?? false,
    isStillRefused(id, known) {
      if (id !== refusedId || known !== refusedKnown) return false;
      if (pool.changes === refusedChanges) return true;
      const { first } = pool.shared;
      const isMissing = refusedMissed === NO_RUN || (first[refusedMissed] ?? NO_RUN) === NO_RUN;
      return isMissing && refusedLack > pool.freeCount;
    },
    missing(id, tokens) {
      const lacking = tokens - (slots[id] as number);
      return lacking <= 0 ? 0 : Math.ceil(lacking / blockTokens);
    },
    grow(id) {
      pool.take(1);
      slots[id] = (slots[id] as number) + blockTokens;
    },
    findPrefix(id, knownTokens) {
      foundCount = 0;
      foundBlocks = 0;
      missed = NO_RUN;
      if (contents === undefined) return 0;
      const most = Math.floor((knownTokens - 1) / blockTokens);
      const shared = Math.min(most, sharedBlocks(id));
      if (shared > 0) findShared(contents.linksOf(id), shared);
      if (missed === NO_RUN && most > shared) {
        const base = ownBases.get(id);
        // Nobody else names these, so what is missing of them stays so while the request waits.
        if (base !== undefined) findContents(pool.own, base + shared, most - shared);
      }
      return foundBlocks * blockTokens;
    },
    allocate(id, computed, newTokens, isAdmission, reserveTokens) {
      if (!isAdmission && computed + newTokens <= (slots[id] as number)) return true;
      const hits = isAdmission ? foundBlocks : 0;
      const known = (slots[id] as number) / blockTokens + hits;
      const wanted = Math.max(Math.ceil((computed + newTokens) / blockTokens), known);
      const reserved = Math.ceil(reserveTokens / blockTokens);
      // A hit that nobody holds leaves the free queue too.
      let idle = 0;
      if (hits > 0)
        for (let i = 0; i < foundCount; i++)
          if (pool.references(found[3 * i] as number) === 0) idle += found[3 * i + 2] as number;
      if (Math.max(wanted, reserved) - known + idle > pool.freeCount) {
        if (isAdmission && reserveTokens > 0) {
          refusedId = id;
          refusedKnown = reserveTokens;
          refusedChanges = pool.changes;
          refusedMissed = missed;
          refusedLack = reserved - hits;
        }
        return false;
      }
      if (hits > 0) {
        for (let i = 0; i < foundCount; i++) {
          const length = found[3 * i + 2] as number;
          const run = pool.cut(found[3 * i] as number, found[3 * i + 1] as number, length);
          pool.hold(run);
          tables.append(id, run, length);
        }
      }
      if (isAdmission) {
        foundCount = 0;
        foundBlocks = 0;
      }
      pool.take(wanted - known);
      slots[id] = wanted * blockTokens;
      return true;
    },
    slotsOf: (id) => slots[id] as number,
    hasUnnamed(id, tokens) {
      if (contents === undefined) return false;
      const from = tables.namedBlocks(id);
      return Math.floor(tokens / blockTokens) > from && sharedBlocks(id) > from;
    },
    index(id, tokens) {
      if (contents === undefined) return;
      const from = tables.namedBlocks(id);
      const to = Math.min(Math.floor(tokens / blockTokens), sharedBlocks(id));
      if (to > from) nameShared(contents.linksOf(id), id, from, to);
    },
    indexOwn(id, tokens) {
      if (contents === undefined) return;
      const to = Math.floor(tokens / blockTokens);
      const shared = Math.min(to, sharedBlocks(id));
      const from = tables.namedBlocks(id);
      if (shared > from) nameShared(contents.linksOf(id), id, from, shared);
      if (to > Math.max(from, shared)) nameOwn(id, Math.max(from, shared), to);
    },
    free(id) {
      pool.dropUnnamed((slots[id] as number) / blockTokens - tables.namedBlocks(id));
      tables.free(id);
      slots[id] = 0;
    },
  };
}
