import type { BlockPool } from './block-pool';

/** The named blocks of each request, as runs; blocks without a name come behind them. */
export interface BlockTables {
  /** Named blocks of request `id`. */
  namedBlocks(id: number): number;
  /** Appends a run that the request has just come to hold. */
  append(id: number, run: number, length: number): void;
  /** Names the request's first unnamed block. */
  name(id: number, content: number, isOwn: boolean): void;
  /** Releases all named blocks, the last first. */
  free(id: number): void;
}

export function createBlockTables(pool: BlockPool, requests: number): BlockTables {
  // Pairs of a run and the blocks that were in it when it was held.
  const tables: (Int32Array | undefined)[] = new Array(requests).fill(undefined);
  const counts = new Int32Array(requests);
  const named = new Int32Array(requests);
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
  }

  return {
    namedBlocks: (id) => named[id] as number,
    append,
    name(id, content, isOwn) {
      const at = 2 * ((counts[id] as number) - 1);
      const table = tables[id];
      if (at >= 0 && table !== undefined) {
        const length = table[at + 1] as number;
        if (pool.extend(pool.lastOf(table[at] as number, length), content, isOwn)) {
          table[at + 1] = length + 1;
          named[id] = (named[id] as number) + 1;
          return;
        }
      }
      append(id, pool.begin(content, isOwn), 1);
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
    },
  };
}
