import { type BlockPool, createBlockPool } from './block-pool';
import { createBlockTables } from './block-tables';
import { type ContentTree, nothingInCommon } from './content-tree';
import { NO_RUN } from './runs';

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
  /** Says that request `id` has so many tokens, in blocks that were taken from the pool for it. */
  setSlots(id: number, tokens: number): void;
  /** Whether `index` would name anything. */
  hasUnnamed(id: number, tokens: number): boolean;
  /** Indexes the full blocks of the first `tokens` tokens that other requests may share. */
  index(id: number, tokens: number): void;
  /**
   * The same where it is simple and the order of requests makes no difference.
   * @returns whether nothing is left to be named
   */
  indexSimply(id: number, tokens: number): boolean;
  /**
   * Indexes the rest of them too. Only the request itself can find those again, so it is enough to
   * do so before it is preempted.
   */
  indexOwn(id: number, tokens: number): void;
  /** Releases a request's blocks, the last first, so that its prefix is evicted last. */
  free(id: number): void;
}

/** Stands for no request, and for no node. */
const NOTHING = -1;

/**
 * @param blocks blocks of the pool
 * @param contents what requests have in common; undefined turns prefix caching off
 * @param totalTokens prompt + output of each request
 */
export function createKvManager(
  blocks: number,
  blockTokens: number,
  contents: ContentTree | undefined,
  totalTokens: Int32Array,
): KvManager {
  const requests = totalTokens.length;
  const tree = contents ?? nothingInCommon(requests);
  const pool = createBlockPool(blocks, tree.nodeEnds);
  const { index } = pool;
  const tables = createBlockTables(pool, requests);
  const slots = new Int32Array(requests);
  const sharedBlocks = Int32Array.from({ length: requests }, (_, id) => {
    const last = tree.offsets[id + 1] as number;
    return last === tree.offsets[id] ? 0 : (tree.ends[last - 1] as number);
  });
  /** Nodes of what only one request has, behind those of the tree; one that was never preempted needs none. */
  const ownNodes = new Map<number, number>();
  // What the last look-up found: runs, where in them, and how many blocks.
  let found = new Int32Array(3 * 16);
  let foundCount = 0;
  let foundBlocks = 0;
  /** The content that may be shared behind what was found, where there was no block of it. */
  let missedNode = NOTHING;
  let missedAt = 0;
  const refused = { id: NOTHING, known: 0, changes: 0, node: NOTHING, at: 0, lack: 0 };

  const nodeOf = (id: number): number => {
    const node = ownNodes.get(id) ?? tree.nodeCount + ownNodes.size;
    ownNodes.set(id, node);
    return node;
  };

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

  /** Finds what `node` has behind all that was found so far. @returns false where a content up to `end` is missing */
  function findIn(node: number, end: number): boolean {
    while (foundBlocks < end) {
      const run = index.find(node, foundBlocks);
      if (run === NO_RUN) return false;
      const last = Math.min(end, index.foundEnd);
      addFound(run, foundBlocks - (pool.runs.starts[run] as number), last - foundBlocks);
    }
    return true;
  }

  /** Looks up the first `most` blocks that a request may share. */
  function findShared(id: number, most: number): void {
    const last = tree.offsets[id + 1] as number;
    for (let i = tree.offsets[id] as number; i < last && foundBlocks < most; i++) {
      if (findIn(tree.nodes[i] as number, Math.min(tree.ends[i] as number, most))) continue;
      missedNode = tree.nodes[i] as number;
      missedAt = foundBlocks;
      return;
    }
  }

  function nameShared(id: number, to: number): void {
    const node = pool.runs.nodes[tables.lastRun(id)] as number;
    const nodeEnd = node < tree.nodeCount ? (tree.nodeEnds[node] as number) : 0;
    if (tables.namedBlocks(id) > 0 && to <= nodeEnd) {
      tables.name(id, node, to);
      return;
    }
    const last = tree.offsets[id + 1] as number;
    for (let i = tree.offsets[id] as number; i < last && tables.namedBlocks(id) < to; i++) {
      const end = Math.min(tree.ends[i] as number, to);
      if (end > tables.namedBlocks(id)) tables.name(id, tree.nodes[i] as number, end);
    }
  }

  return {
    pool,
    blockTokens,
    canShare: tree.nodeCount > 0,
    isStillRefused(id, known) {
      if (id !== refused.id || known !== refused.known) return false;
      if (pool.changes === refused.changes) return true;
      const isMissing = refused.node === NOTHING || index.find(refused.node, refused.at) === NO_RUN;
      return isMissing && refused.lack > pool.freeCount;
    },
    missing(id, tokens) {
      const lacking = tokens - (slots[id] as number);
      return lacking <= 0 ? 0 : Math.ceil(lacking / blockTokens);
    },
    setSlots(id, tokens) {
      slots[id] = Math.ceil(tokens / blockTokens) * blockTokens;
    },
    findPrefix(id, knownTokens) {
      foundCount = 0;
      foundBlocks = 0;
      missedNode = NOTHING;
      if (contents === undefined) return 0;
      const most = Math.floor((knownTokens - 1) / blockTokens);
      const shared = Math.min(most, sharedBlocks[id] as number);
      if (shared > 0) findShared(id, shared);
      if (missedNode === NOTHING && most > shared) {
        const own = ownNodes.get(id);
        // Nobody else names these, so what is missing of them stays so while the request waits.
        if (own !== undefined) findIn(own, most);
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
          if (pool.runs.references[found[3 * i] as number] === 0)
            idle += found[3 * i + 2] as number;
      if (Math.max(wanted, reserved) - known + idle > pool.freeCount) {
        if (isAdmission && reserveTokens > 0) {
          refused.id = id;
          refused.known = reserveTokens;
          refused.changes = pool.changes;
          refused.node = missedNode;
          refused.at = missedAt;
          refused.lack = reserved - hits;
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
      if (wanted > known) pool.take(wanted - known);
      slots[id] = wanted * blockTokens;
      return true;
    },
    hasUnnamed(id, tokens) {
      const from = tables.namedBlocks(id);
      return (sharedBlocks[id] as number) > from && Math.floor(tokens / blockTokens) > from;
    },
    index(id, tokens) {
      const to = Math.min(Math.floor(tokens / blockTokens), sharedBlocks[id] as number);
      if (to > tables.namedBlocks(id)) nameShared(id, to);
    },
    indexSimply(id, tokens) {
      const to = Math.min(Math.floor(tokens / blockTokens), sharedBlocks[id] as number);
      return to <= tables.namedBlocks(id) || tables.nameAlone(id, to);
    },
    indexOwn(id, tokens) {
      if (contents === undefined) return;
      const to = Math.floor(tokens / blockTokens);
      const shared = Math.min(to, sharedBlocks[id] as number);
      if (shared > tables.namedBlocks(id)) nameShared(id, shared);
      if (to > tables.namedBlocks(id)) tables.name(id, nodeOf(id), to);
    },
    free(id) {
      pool.dropUnnamed((slots[id] as number) / blockTokens - tables.namedBlocks(id));
      tables.free(id);
      slots[id] = 0;
    },
  };
}
