import { type BlockNames, createBlockNames, NO_RUN } from './block-names';

/**
 * Blocks of KV memory with reference counts and an index by content, after vLLM V1: a block whose
 * count falls to zero joins the tail of the free queue and keeps its content until it is taken
 * again from the head, so that the free queue is the eviction order. Never-used blocks are taken
 * before released ones.
 *
 * Blocks are kept in runs: of consecutive contents, with the same holders, or without content. A
 * block without content is like any other, so those that somebody holds are only counted. Requests
 * release their last block first, so a run in the free queue is taken from its end.
 */
export interface BlockPool {
  readonly total: number;
  /** Blocks that nobody holds, cached content or not. */
  readonly freeCount: number;
  /** Releases and namings so far: between two equal counts, blocks were only taken or held. */
  readonly changes: number;
  /** Names of contents that requests may share, and of those that are one request's own. */
  readonly shared: BlockNames;
  readonly own: BlockNames;
  /** Takes blocks from the head of the free queue, dropping content. @throws RangeError when fewer are free */
  take(count: number): void;
  /** Releases so many blocks without content. */
  dropUnnamed(count: number): void;
  /** A run of one held block with this content. */
  begin(content: number, isOwn: boolean): number;
  /** Adds a held block to the end of a run if the content is what comes next and nobody else holds it. */
  extend(run: number, content: number, isOwn: boolean): boolean;
  /** Makes the blocks from `offset` on, `length` of them, a run of their own. */
  cut(run: number, offset: number, length: number): number;
  /** Adds a holder to a whole run, out of the free queue if nobody held it. */
  hold(run: number): void;
  /** Drops a holder of `length` blocks that were the run when they were held; the last block first. */
  release(run: number, length: number): void;
  /** The run that has the last of `length` blocks that were this run when they were held. */
  lastOf(run: number, length: number): number;
  references(run: number): number;
  /** Content of the first block. */
  startOf(run: number): number;
  lengthOf(run: number): number;
}

const UNNAMED = -1;

/** @param total blocks, at least 1 @throws RangeError for another total */
export function createBlockPool(total: number): BlockPool {
  if (!(Number.isInteger(total) && total >= 1))
    throw new RangeError(`invalid total: ${total} (expected an integer from 1)`);
  const shared = createBlockNames();
  const own = createBlockNames();
  // By run + 1. Run -1 is the sentinel of the free queue, a doubly linked list.
  let starts = new Int32Array(256);
  let lengths = new Int32Array(256);
  let references = new Int32Array(256);
  let isOwn = new Uint8Array(256);
  let next = new Int32Array(256);
  let previous = new Int32Array(256);
  /** The run that was cut off the end of a run: who held both before goes on there. */
  let rest = new Int32Array(256);
  const spare: number[] = [];
  let runs = 0;
  let used = 0;
  let freed = 0;
  let changes = 0;
  next[0] = NO_RUN;
  previous[0] = NO_RUN;

  function grow(): void {
    const length = starts.length * 2;
    const larger = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const copy = new Int32Array(length);
      copy.set(column);
      return copy;
    };
    [starts, lengths, references] = [larger(starts), larger(lengths), larger(references)];
    [next, previous, rest] = [larger(next), larger(previous), larger(rest)];
    const more = new Uint8Array(length);
    more.set(isOwn);
    isOwn = more;
  }

  function make(start: number, length: number, holders: number, own: number): number {
    const run = spare.pop() ?? runs++;
    const at = run + 1;
    if (at >= starts.length) grow();
    starts[at] = start;
    lengths[at] = length;
    references[at] = holders;
    isOwn[at] = own;
    rest[at] = NO_RUN;
    return run;
  }

  const namesOf = (run: number): BlockNames => (isOwn[run + 1] === 1 ? own : shared);

  function unlink(run: number): void {
    const before = previous[run + 1] as number;
    const after = next[run + 1] as number;
    next[before + 1] = after;
    previous[after + 1] = before;
  }

  function insertBefore(run: number, after: number): void {
    const before = previous[after + 1] as number;
    next[before + 1] = run;
    previous[run + 1] = before;
    next[run + 1] = after;
    previous[after + 1] = run;
  }

  /** Overwrites the last `count` blocks of a run of the free queue. */
  function evict(run: number, count: number): void {
    const left = (lengths[run + 1] as number) - count;
    const start = starts[run + 1] as number;
    if (start !== UNNAMED) {
      const names = namesOf(run);
      for (let i = left; i < left + count; i++) names.remove(start + i, run);
    }
    lengths[run + 1] = left;
    freed -= count;
    if (left > 0) return;
    unlink(run);
    spare.push(run);
  }

  /** Cuts off what comes behind the first `length` blocks. @returns the new run */
  function split(run: number, length: number): number {
    const start = (starts[run + 1] as number) + length;
    const moved = (lengths[run + 1] as number) - length;
    const holders = references[run + 1] as number;
    const end = make(start, moved, holders, isOwn[run + 1] as number);
    lengths[run + 1] = length;
    rest[end + 1] = rest[run + 1] as number;
    rest[run + 1] = end;
    if (holders === 0) insertBefore(end, run);
    const names = namesOf(run);
    for (let i = 0; i < moved; i++) names.move(start + i, run, end);
    return end;
  }

  function release(run: number, length: number): void {
    const own = lengths[run + 1] as number;
    if (length > own) release(rest[run + 1] as number, length - own);
    const count = (references[run + 1] as number) - 1;
    if (!(count >= 0)) throw new RangeError(`run ${run} is not held`);
    references[run + 1] = count;
    if (count > 0) return;
    freed += own;
    insertBefore(run, NO_RUN);
  }

  return {
    total,
    shared,
    own,
    get freeCount() {
      return total - used + freed;
    },
    get changes() {
      return changes;
    },
    take(count) {
      const fresh = Math.min(count, total - used);
      if (count - fresh > freed) throw new RangeError('no block is free');
      used += fresh;
      for (let left = count - fresh; left > 0; ) {
        const head = next[0] as number;
        const n = Math.min(left, lengths[head + 1] as number);
        evict(head, n);
        left -= n;
      }
    },
    dropUnnamed(count) {
      if (count === 0) return;
      changes++;
      freed += count;
      const tail = previous[0] as number;
      if (tail !== NO_RUN && starts[tail + 1] === UNNAMED)
        lengths[tail + 1] = (lengths[tail + 1] as number) + count;
      else insertBefore(make(UNNAMED, count, 0, 0), NO_RUN);
    },
    begin(content, isOwnContent) {
      const run = make(content, 1, 1, isOwnContent ? 1 : 0);
      namesOf(run).add(content, run);
      changes++;
      return run;
    },
    extend(run, content, isOwnContent) {
      const length = lengths[run + 1] as number;
      if (references[run + 1] !== 1 || content !== (starts[run + 1] as number) + length)
        return false;
      if ((isOwn[run + 1] === 1) !== isOwnContent) return false;
      lengths[run + 1] = length + 1;
      namesOf(run).add(content, run);
      changes++;
      return true;
    },
    cut(run, offset, length) {
      let from = run;
      let left = offset;
      // What was cut since the caller looked is found behind.
      while (left >= (lengths[from + 1] as number)) {
        left -= lengths[from + 1] as number;
        from = rest[from + 1] as number;
      }
      if (left > 0) from = split(from, left);
      if (length < (lengths[from + 1] as number)) split(from, length);
      return from;
    },
    hold(run) {
      const holders = references[run + 1] as number;
      if (holders === 0) {
        unlink(run);
        freed -= lengths[run + 1] as number;
      }
      references[run + 1] = holders + 1;
    },
    release(run, length) {
      changes++;
      release(run, length);
    },
    lastOf(run, length) {
      let at = run;
      for (let left = length; left > (lengths[at + 1] as number); ) {
        left -= lengths[at + 1] as number;
        at = rest[at + 1] as number;
      }
      return at;
    },
    references: (run) => references[run + 1] as number,
    startOf: (run) => starts[run + 1] as number,
    lengthOf: (run) => lengths[run + 1] as number,
  };
}
