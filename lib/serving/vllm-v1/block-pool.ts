import { createContentIndex, NO_BLOCK } from './content-index';

export { NO_BLOCK } from './content-index';

/**
 * Blocks of KV memory with reference counts and an index by content, after vLLM V1: a block whose
 * count falls to zero joins the tail of the free queue and keeps its content until it is taken
 * again from the head, so that the free queue is the eviction order. Never-used blocks are taken
 * before released ones.
 */
export interface BlockPool {
  readonly total: number;
  /** Blocks that nobody holds, cached content or not. */
  readonly freeCount: number;
  /** Releases and namings so far: between two equal counts, blocks were only taken or held. */
  readonly changes: number;
  /** Takes the head of the free queue, dropping its content. @throws RangeError when none is free */
  take(): number;
  /** Takes `count` blocks into `table` from `at` on. @throws RangeError when fewer are free */
  takeInto(table: Int32Array, at: number, count: number): void;
  /** Adds a holder to a block found by its content, out of the free queue if nobody held it. */
  hold(block: number): void;
  /** Drops a holder. @throws RangeError when nobody holds the block */
  release(block: number): void;
  /** Drops a holder of the first `count` blocks of `table`, the last first. */
  releaseFrom(table: Int32Array, count: number): void;
  /** Names the content of a held block; several blocks may hold the same. */
  name(block: number, content: number): void;
  /** The block of this content that was named first, or `NO_BLOCK`. */
  find(content: number): number;
  references(block: number): number;
  /** Blocks of the free queue from the head, never-used ones left out: for tests. */
  freedInOrder(): number[];
}

const NO_CONTENT = Number.NaN;

/** @param total blocks, at least 1 @throws RangeError for another total */
export function createBlockPool(total: number): BlockPool {
  if (!(Number.isInteger(total) && total >= 1))
    throw new RangeError(`invalid total: ${total} (expected an integer from 1)`);
  let references = new Int32Array(1024);
  // Free queue: a doubly linked list over blocks, by block + 1; 0 is its sentinel.
  let next = new Int32Array(1025);
  let previous = new Int32Array(1025);
  // Blocks of the same content, in the order they were named, by block; the first is in `index`.
  let nextSame = new Int32Array(1024);
  let previousSame = new Int32Array(1024);
  let contents = new Float64Array(1024).fill(NO_CONTENT);
  const index = createContentIndex();
  const lastOf = new Map<number, number>();
  let used = 0;
  let freed = 0;
  let changes = 0;

  function grow(): void {
    if (used < references.length) return;
    const size = references.length * 2;
    const larger = (column: Int32Array, length: number): Int32Array => {
      const copy = new Int32Array(length);
      copy.set(column);
      return copy;
    };
    references = larger(references, size) as typeof references;
    next = larger(next, size + 1) as typeof next;
    previous = larger(previous, size + 1) as typeof previous;
    nextSame = larger(nextSame, size) as typeof nextSame;
    previousSame = larger(previousSame, size) as typeof previousSame;
    const more = new Float64Array(size).fill(NO_CONTENT);
    more.set(contents);
    contents = more;
  }

  function unlink(block: number): void {
    const before = previous[block + 1] as number;
    const after = next[block + 1] as number;
    next[before] = after;
    previous[after] = before;
    freed--;
  }

  function append(block: number): void {
    const tail = previous[0] as number;
    next[tail] = block + 1;
    previous[block + 1] = tail;
    next[block + 1] = 0;
    previous[0] = block + 1;
    freed++;
  }

  function forget(block: number): void {
    const content = contents[block] as number;
    if (Number.isNaN(content)) return;
    contents[block] = NO_CONTENT;
    const before = previousSame[block] as number;
    const after = nextSame[block] as number;
    if (before === NO_BLOCK && after === NO_BLOCK) {
      index.set(content, NO_BLOCK);
      return;
    }
    if (before === NO_BLOCK) index.set(content, after);
    else nextSame[before] = after;
    if (after !== NO_BLOCK) previousSame[after] = before;
    else lastOf.set(content, before);
    if (lastOf.get(content) === index.get(content)) lastOf.delete(content);
  }

  function take(): number {
    if (used < total) {
      grow();
      references[used] = 1;
      return used++;
    }
    const block = (next[0] as number) - 1;
    if (block < 0) throw new RangeError('no block is free');
    unlink(block);
    forget(block);
    references[block] = 1;
    return block;
  }

  function release(block: number): void {
    const count = (references[block] as number) - 1;
    if (!(block < used && count >= 0)) throw new RangeError(`block ${block} is not held`);
    references[block] = count;
    changes++;
    if (count === 0) append(block);
  }

  return {
    total,
    get freeCount() {
      return total - used + freed;
    },
    get changes() {
      return changes;
    },
    take,
    takeInto(table, at, count) {
      for (let i = 0; i < count; i++) table[at + i] = take();
    },
    hold(block) {
      if (references[block] === 0) unlink(block);
      references[block] = (references[block] as number) + 1;
    },
    release,
    releaseFrom(table, count) {
      for (let i = count - 1; i >= 0; i--) release(table[i] as number);
    },
    name(block, content) {
      if (references[block] === 0) throw new RangeError(`block ${block} is not held`);
      if (!Number.isNaN(contents[block])) throw new RangeError(`block ${block} is named already`);
      contents[block] = content;
      changes++;
      nextSame[block] = NO_BLOCK;
      const first = index.get(content);
      if (first === NO_BLOCK) {
        previousSame[block] = NO_BLOCK;
        index.set(content, block);
        return;
      }
      const last = lastOf.get(content) ?? first;
      previousSame[block] = last;
      nextSame[last] = block;
      lastOf.set(content, block);
    },
    find: (content) => index.get(content),
    references: (block) => references[block] ?? 0,
    freedInOrder() {
      const order: number[] = [];
      for (let at = next[0] as number; at !== 0; at = next[at] as number) order.push(at - 1);
      return order;
    },
  };
}
