import type { BlockView, EvictionOrder } from '../parts/eviction';
import type { CachedBlock } from './cached-block';

/** Blocks that may be evicted, the next one first. */
export interface Victims {
  /** A leaf that nobody holds. Its key is taken now. */
  add(block: CachedBlock): void;
  remove(block: CachedBlock): void;
  /** Takes the key again, if the block is among the victims. */
  refresh(block: CachedBlock): void;
  take(): CachedBlock | undefined;
}

interface Entry {
  readonly key: number;
  readonly tie: number;
  readonly stamp: number;
  readonly block: CachedBlock;
}

/** A binary heap by key, ties by the order of release; entries whose block has moved on are skipped. */
export function createVictims(order: EvictionOrder): Victims {
  const heap: Entry[] = [];
  /** Comes before all of the heap: a block's parent, which is let go of next, needs no place there. */
  let front: Entry | undefined;
  let stamps = 0;

  const isBefore = (a: Entry, b: Entry) => a.key < b.key || (a.key === b.key && a.tie < b.tie);
  function push(entry: Entry): void {
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = heap[parent] as Entry;
      if (!isBefore(entry, other)) break;
      heap[at] = other;
      at = parent;
    }
    heap[at] = entry;
  }
  function pop(): Entry | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry))
        child++;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
    return first;
  }
  function add(block: CachedBlock): void {
    block.victimStamp = ++stamps;
    const entry = { key: order.key(block), tie: block.releasedOrder, stamp: stamps, block };
    const first = front ?? heap[0];
    if (first !== undefined && !isBefore(entry, first)) {
      push(entry);
      return;
    }
    if (front !== undefined) push(front);
    front = entry;
  }
  function takeFirst(): Entry | undefined {
    if (front === undefined) return pop();
    const entry = front;
    front = undefined;
    return entry;
  }
  return {
    add,
    remove(block) {
      block.victimStamp = 0;
    },
    refresh(block) {
      if (block.victimStamp !== 0) add(block);
    },
    take() {
      for (;;) {
        const entry = takeFirst();
        if (entry === undefined) return undefined;
        const { block, stamp, key } = entry;
        if (block.victimStamp !== stamp) continue;
        // Where keys fall as time passes, the one on top may have become a later one.
        if (order.isMoving && order.key(block) !== key) {
          add(block);
          continue;
        }
        block.victimStamp = 0;
        order.onEvicted(key);
        return block;
      }
    },
  };
}

/** The same where a rule looks at all that may go. */
export function scannedVictims(
  choose: (blocks: Iterable<BlockView>) => BlockView | undefined,
): Victims {
  const blocks = new Set<CachedBlock>();
  const add = (block: CachedBlock) => void blocks.add(block);
  return {
    add,
    remove: (block) => void blocks.delete(block),
    refresh: () => undefined,
    take() {
      const chosen = choose(blocks) as CachedBlock | undefined;
      if (chosen !== undefined) blocks.delete(chosen);
      return chosen;
    },
  };
}
