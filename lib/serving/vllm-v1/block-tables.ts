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
  /** Releases all named blocks, the last first. */
  free(id: number): void;
}

export function createBlockTables(pool: BlockPool, requests: number): BlockTables {
  // Pairs of a run and the blocks that were in it when it was held.
  const tables: (Int32Array | undefined)[] = new Array(requests).fill(undefined);
  const counts = new Int32Array(requests);
  const named = new Int32Array(requests);
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
    table[2 * count] = run;
    table[2 * count + 1] = length;
    counts[id] = count + 1;
    named[id] = (named[id] as number) + length;
    lasts[id] = run;
  }

  /** Counts blocks that the last run of a request has come to have. */
  function lengthen(id: number, blocks: number): void {
    const table = tables[id] as Int32Array;
    const at = 2 * (counts[id] as number) - 1;
    table[at] = (table[at] as number) + blocks;
    named[id] = (named[id] as number) + blocks;
  }

  return {
    namedBlocks: (id) => named[id] as number,
    append,
    name(id, node, end) {
      const count = counts[id] as number;
      const from = named[id] as number;
      if (count > 0) {
        const table = tables[id] as Int32Array;
        const last = pool.lastOf(table[2 * count - 2] as number, table[2 * count - 1] as number);
        const more = pool.extend(last, node, from, end - from);
        lasts[id] = last;
        if (more > 0) lengthen(id, more);
      }
      const left = end - (named[id] as number);
      if (left > 0) append(id, pool.begin(node, end - left, left), left);
    },
    nameAlone(id, end) {
      const last = lasts[id] as number;
      const from = named[id] as number;
      if (last === NO_RUN || !pool.extendAlone(last, from, end - from)) return false;
      lengthen(id, end - from);
      return true;
    },
    free(id) {
      const table = tables[id];
      if (table === undefined) return;
      for (let i = (counts[id] as number) - 1; i >= 0; i--)
        pool.release(table[2 * i] as number, table[2 * i + 1] as number);
      spare.push(table);
      tables[id] = undefined;
      counts[id] = 0;
      named[id] = 0;
      lasts[id] = NO_RUN;
    },
  };
}
