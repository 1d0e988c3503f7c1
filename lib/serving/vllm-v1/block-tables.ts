import type { BlockPool } from './block-pool';
import { NO_RUN } from './runs';

/** The named blocks of each request, as runs; blocks without a name come behind them. */
export interface BlockTables {
  /** Named blocks of request `id`. */
  namedBlocks(id: number): number;
  /** Appends a run that the request has just come to hold. */
  append(id: number, run: number, length: number): void;
  /** Names the request's first unnamed blocks, up to `end` from its start, by what `node` has there. */
  name(id: number, node: number, end: number): void;
  /**
   * The same where what was named last simply goes on and no other block in memory is of that node,
   * so that it makes no difference which of several requests names first.
   * @returns false, and nothing done, where it is not so simple
   */
  nameAlone(id: number, end: number): boolean;
  /** A run that has the last named block of a request, or had it before it was cut; `NO_RUN` without any. */
  lastRun(id: number): number;
  /** Releases all named blocks, the last first. */
  free(id: number): void;
}

export function createBlockTables(pool: BlockPool, requests: number): BlockTables {
  // Pairs of a run and the blocks that were in it when it was held; of the last run, which may grow,
  // these are all behind `befores`.
  const tables: (Int32Array | undefined)[] = new Array(requests).fill(undefined);
  const counts = new Int32Array(requests);
  const named = new Int32Array(requests);
  /** Named blocks before the last run. */
  const befores = new Int32Array(requests);
  /** The run that had the last named block when it was named. */
  const lasts = new Int32Array(requests);
  /** A table that is given back serves the next request. */
  const spare: Int32Array[] = [];

  /** The table of a request, with room for one pair more. */
  function tableOf(id: number): Int32Array {
    const table = tables[id] ?? spare.pop() ?? new Int32Array(16);
    const count = counts[id] as number;
    if (2 * count < table.length) {
      tables[id] = table;
      return table;
    }
    const larger = new Int32Array(table.length * 2);
    larger.set(table);
    tables[id] = larger;
    return larger;
  }

  function append(id: number, run: number, length: number): void {
    const table = tableOf(id);
    const count = counts[id] as number;
    const before = named[id] as number;
    if (count > 0) table[2 * count - 1] = before - (befores[id] as number);
    table[2 * count] = run;
    counts[id] = count + 1;
    befores[id] = before;
    named[id] = before + length;
    lasts[id] = run;
  }

  /** The run that has a request's last named block, whatever was cut since it was named. */
  function lastOf(id: number, count: number): number {
    const { starts, lengths } = pool.runs;
    const last = lasts[id] as number;
    if ((starts[last] as number) + (lengths[last] as number) === named[id]) return last;
    const table = tables[id] as Int32Array;
    const length = (named[id] as number) - (befores[id] as number);
    return pool.lastOf(table[2 * count - 2] as number, length);
  }

  return {
    namedBlocks: (id) => named[id] as number,
    append,
    name(id, node, end) {
      const count = counts[id] as number;
      const from = named[id] as number;
      if (count > 0) {
        const last = lastOf(id, count);
        const more = pool.extend(last, node, from, end - from);
        lasts[id] = last;
        if (more > 0) named[id] = from + more;
      }
      const left = end - (named[id] as number);
      if (left > 0) append(id, pool.begin(node, end - left, left), left);
    },
    nameAlone(id, end) {
      const last = lasts[id] as number;
      const from = named[id] as number;
      if (last === NO_RUN || !pool.extendAlone(last, from, end - from)) return false;
      named[id] = end;
      return true;
    },
    lastRun: (id) => lasts[id] as number,
    free(id) {
      const table = tables[id];
      if (table === undefined) return;
      const last = (counts[id] as number) - 1;
      table[2 * last + 1] = (named[id] as number) - (befores[id] as number);
      for (let i = last; i >= 0; i--)
        pool.release(table[2 * i] as number, table[2 * i + 1] as number);
      spare.push(table);
      tables[id] = undefined;
      counts[id] = 0;
      named[id] = 0;
      lasts[id] = NO_RUN;
    },
  };
}
