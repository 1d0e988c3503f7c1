/** Stands for no run, and for the ends of the free queue. */
export const NO_RUN = 0;
/** The node of blocks without content. */
export const UNNAMED = -1;

/**
 * Runs of blocks with consecutive contents of one node and the same holders, as columns by run,
 * from 1 on. The lists that they are in belong to the pool (free queue) and the index (by node).
 */
export interface Runs {
  nodes: Int32Array;
  /** Place of the first block, counted from the start of the sequence. */
  starts: Int32Array;
  lengths: Int32Array;
  references: Int32Array;
  /** Smaller where the blocks were named earlier, between runs that have a content in common. */
  ages: Int32Array;
  /** The run that was cut off the end of a run: who held both before goes on there. */
  rest: Int32Array;
  nextFree: Int32Array;
  previousFree: Int32Array;
  nextInNode: Int32Array;
  make(node: number, start: number, length: number, holders: number, age: number): number;
  /** Forgets a run, whose number is given again. */
  drop(run: number): void;
}

export function createRuns(): Runs {
  const spare: number[] = [];
  let count = NO_RUN + 1;
  const column = (): Int32Array => new Int32Array(256);

  function grow(): void {
    const larger = (column: Int32Array): Int32Array => {
      const copy = new Int32Array(column.length * 2);
      copy.set(column);
      return copy;
    };
    runs.nodes = larger(runs.nodes);
    runs.starts = larger(runs.starts);
    runs.lengths = larger(runs.lengths);
    runs.references = larger(runs.references);
    runs.ages = larger(runs.ages);
    runs.rest = larger(runs.rest);
    runs.nextFree = larger(runs.nextFree);
    runs.previousFree = larger(runs.previousFree);
    runs.nextInNode = larger(runs.nextInNode);
  }

  const runs: Runs = {
    nodes: column(),
    starts: column(),
    lengths: column(),
    references: column(),
    ages: column(),
    rest: column(),
    nextFree: column(),
    previousFree: column(),
    nextInNode: column(),
    make(node, start, length, holders, age) {
      const run = spare.length > 0 ? (spare.pop() as number) : count++;
      if (run >= runs.nodes.length) grow();
      runs.nodes[run] = node;
      runs.starts[run] = start;
      runs.lengths[run] = length;
      runs.references[run] = holders;
      runs.ages[run] = age;
      runs.rest[run] = NO_RUN;
      return run;
    },
    drop(run) {
      spare.push(run);
    },
  };
  return runs;
}
