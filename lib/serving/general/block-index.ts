import type { BlockContents } from '../vllm-v1/block-contents';
import type { CachedBlock } from './cached-block';

/** The blocks of a cache by request and place: those that requests may share, and each one's own. */
export interface BlockIndex {
  /** The block that has what stands at place `index` of request `id`. */
  at(id: number, index: number): CachedBlock | undefined;
  /** @param block with the content of place `index` of request `id`, where there is none yet */
  add(block: CachedBlock, id: number, index: number): void;
  remove(block: CachedBlock): void;
  readonly size: number;
  values(): Iterable<CachedBlock>;
}

/**
 * Shared contents are numbers from 0 up and stand in a column. What is a request's own can be found
 * by nobody else, so it stands in a list of that request, and costs no look-up by content.
 */
export function createBlockIndex(contents: BlockContents, blockTokens: number): BlockIndex {
  const shared: (CachedBlock | undefined)[] = [];
  const own = new Map<number, (CachedBlock | undefined)[]>();
  let size = 0;
  /** The list looked at last, and whose it is: a request's blocks are gone through in a row. */
  let lastId = -1;
  let lastList: (CachedBlock | undefined)[] | undefined;

  function listOf(id: number): (CachedBlock | undefined)[] | undefined {
    if (id !== lastId) {
      lastId = id;
      lastList = own.get(id);
    }
    return lastList;
  }

  return {
    at(id, index) {
      if (index < contents.sharedBlocks(id)) return shared[contents.contentOf(id, index)];
      return listOf(id)?.[index - contents.sharedBlocks(id)];
    },
    add(block, id, index) {
      size++;
      const first = contents.sharedBlocks(id);
      if (index < first) {
        // Never far beyond the end: numbers are given one after the other.
        while (shared.length < block.content) shared.push(undefined);
        shared[block.content] = block;
        return;
      }
      block.ownerId = id;
      const list = listOf(id) ?? [];
      if (list.length === 0) {
        own.set(id, list);
        lastList = list;
      }
      while (list.length < index - first) list.push(undefined);
      list[index - first] = block;
    },
    remove(block) {
      size--;
      const { ownerId } = block;
      if (ownerId < 0) {
        shared[block.content] = undefined;
        return;
      }
      const list = listOf(ownerId);
      if (list === undefined) throw new RangeError(`no block of request ${ownerId} is indexed`);
      list[block.startTokens / blockTokens - contents.sharedBlocks(ownerId)] = undefined;
      // A path is evicted from its end.
      while (list.length > 0 && list[list.length - 1] === undefined) list.pop();
      if (list.length > 0) return;
      own.delete(ownerId);
      lastList = undefined;
    },
    get size() {
      return size;
    },
    *values() {
      for (const block of shared) if (block !== undefined) yield block;
      for (const list of own.values())
        for (const block of list) if (block !== undefined) yield block;
    },
  };
}
