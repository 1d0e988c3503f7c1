import { createRunIndex, type RunIndex } from './run-index';
import { createRuns, NO_RUN, type Runs, UNNAMED } from './runs';

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
  /** To be read; only the pool writes. */
  readonly runs: Runs;
  readonly index: Pick<RunIndex, 'find' | 'foundEnd'>;
  /** Takes blocks from the head of the free queue, dropping content. @throws RangeError when fewer are free */
  take(count: number): void;
  /** Releases so many blocks without content. */
  dropUnnamed(count: number): void;
  /** A run of held blocks with the contents of `node` from `start` on. */
  begin(node: number, start: number, length: number): number;
  /**
   * Adds up to `length` held blocks to the end of a run, if their contents, from `start` on, are what
   * comes next and nobody else holds it: as many as there are before a content that another run has
   * already, unless that is older. @returns how many
   */
  extend(run: number, node: number, start: number, length: number): number;
  /** The same for a run that is the only one of its node and stays in it: all or none. */
  extendAlone(run: number, start: number, length: number): boolean;
  /** Makes the blocks from `offset` on, `length` of them, a run of their own. */
  cut(run: number, offset: number, length: number): number;
  /** Adds a holder to a whole run, out of the free queue if nobody held it. */
  hold(run: number): void;
  /** Drops a holder of `length` blocks that were the run when they were held; the last block first. */
  release(run: number, length: number): void;
  /** The run that has the last of `length` blocks that were this run when they were held. */
  lastOf(run: number, length: number): number;
}

/**
 * @param total blocks, at least 1
 * @param nodeEnds where the contents of nodes end, of those that are known from the start
 * @throws RangeError for another total
 */
export function createBlockPool(total: number, nodeEnds: Int32Array): BlockPool {
  if (!(Number.isInteger(total) && total >= 1))
    throw new RangeError(`invalid total: ${total} (expected an integer from 1)`);
  // `NO_RUN` is the sentinel of the free queue, a doubly linked list.
  const runs = createRuns();
  const index = createRunIndex(runs, nodeEnds.length);
  let used = 0;
  let freed = 0;
  let changes = 0;
  let age = 0;

  function unlink(run: number): void {
    const { nextFree, previousFree } = runs;
    const before = previousFree[run] as number;
    const after = nextFree[run] as number;
    nextFree[before] = after;
    previousFree[after] = before;
  }

  function insertBefore(run: number, after: number): void {
    const { nextFree, previousFree } = runs;
    const before = previousFree[after] as number;
    nextFree[before] = run;
    previousFree[run] = before;
    nextFree[run] = after;
    previousFree[after] = run;
  }

  /** Overwrites the last `count` blocks of a run of the free queue. */
  function evict(run: number, count: number): void {
    const left = (runs.lengths[run] as number) - count;
    runs.lengths[run] = left;
    freed -= count;
    if (left > 0) return;
    unlink(run);
    if (runs.nodes[run] !== UNNAMED) index.remove(run);
    runs.drop(run);
  }

  /** Cuts off what comes behind the first `length` blocks. */
  function split(run: number, length: number): void {
    const start = (runs.starts[run] as number) + length;
    const moved = (runs.lengths[run] as number) - length;
    const holders = runs.references[run] as number;
    const node = runs.nodes[run] as number;
    const end = runs.make(node, start, moved, holders, runs.ages[run] as number);
    runs.lengths[run] = length;
    runs.rest[end] = runs.rest[run] as number;
    runs.rest[run] = end;
    if (holders === 0) insertBefore(end, run);
    index.add(end);
  }

  function drop(run: number): void {
    const { references, lengths } = runs;
    const count = (references[run] as number) - 1;
    if (!(count >= 0)) throw new RangeError(`run ${run} is not held`);
    references[run] = count;
    if (count > 0) return;
    freed += lengths[run] as number;
    insertBefore(run, NO_RUN);
  }

  function release(run: number, length: number): void {
    const own = runs.lengths[run] as number;
    if (length > own) release(runs.rest[run] as number, length - own);
    drop(run);
  }

  return {
    total,
    runs,
    index,
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
        const head = runs.nextFree[NO_RUN] as number;
        const n = Math.min(left, runs.lengths[head] as number);
        evict(head, n);
        left -= n;
      }
    },
    dropUnnamed(count) {
      if (count === 0) return;
      changes++;
      freed += count;
      const tail = runs.previousFree[NO_RUN] as number;
      if (tail !== NO_RUN && runs.nodes[tail] === UNNAMED)
        runs.lengths[tail] = (runs.lengths[tail] as number) + count;
      else insertBefore(runs.make(UNNAMED, 0, count, 0, 0), NO_RUN);
    },
    begin(node, start, length) {
      const run = runs.make(node, start, length, 1, ++age);
      index.add(run);
      changes++;
      return run;
    },
    extend(run, node, start, length) {
      const { nodes, starts, lengths } = runs;
      const own = lengths[run] as number;
      if (runs.references[run] !== 1 || nodes[run] !== node) return 0;
      if (start !== (starts[run] as number) + own) return 0;
      // Of two runs that have a content the older one was the first to have it, and so in all they share.
      const more = index.isAlone(run)
        ? length
        : index.nextNotOlder(node, start, start + length, runs.ages[run] as number) - start;
      if (more === 0) return 0;
      lengths[run] = own + more;
      changes++;
      return more;
    },
    extendAlone(run, start, length) {
      const { starts, lengths } = runs;
      const own = lengths[run] as number;
      if (runs.references[run] !== 1 || start !== (starts[run] as number) + own) return false;
      if (start + length > (nodeEnds[runs.nodes[run] as number] ?? 0) || !index.isAlone(run))
        return false;
      lengths[run] = own + length;
      changes++;
      return true;
    },
    cut(run, offset, length) {
      const { lengths, rest } = runs;
      let from = run;
      let left = offset;
      // What was cut since the caller looked is found behind.
      while (left >= (lengths[from] as number)) {
        left -= lengths[from] as number;
        from = rest[from] as number;
      }
      if (left > 0) {
        split(from, left);
        from = runs.rest[from] as number;
      }
      if (length < (runs.lengths[from] as number)) split(from, length);
      return from;
    },
    hold(run) {
      const { references } = runs;
      const holders = references[run] as number;
      if (holders === 0) {
        unlink(run);
        freed -= runs.lengths[run] as number;
      }
      references[run] = holders + 1;
    },
    release(run, length) {
      changes++;
      if (length === runs.lengths[run]) drop(run);
      else release(run, length);
    },
    lastOf(run, length) {
      const { lengths, rest } = runs;
      let at = run;
      for (let left = length; left > (lengths[at] as number); ) {
        left -= lengths[at] as number;
        at = rest[at] as number;
      }
      return at;
    },
  };
}
