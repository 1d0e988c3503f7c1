import { NO_RUN, type Runs } from './runs';

/**
 * The runs of each node by where they begin. Most nodes have one; a content that is in memory twice
 * is in two of them, of which the one named first is found.
 */
export interface RunIndex {
  /** The run named first that has the content, or `NO_RUN`. */
  find(node: number, at: number): number;
  /** Up to where the run that `find` gave is the one named first. */
  readonly foundEnd: number;
  /** The first place in [from, to) whose content some run no older than `age` has; `to` if there is none. */
  nextNotOlder(node: number, from: number, to: number, age: number): number;
  /** Whether a run is the only one of its node. */
  isAlone(run: number): boolean;
  add(run: number): void;
  remove(run: number): void;
}

/** @param nodeCount nodes at first; any later one has no run until one is added */
export function createRunIndex(runs: Runs, nodeCount: number): RunIndex {
  let heads = new Int32Array(Math.max(1, nodeCount));

  function findFrom(run: number, at: number): number {
    const { starts, lengths, ages, nextInNode } = runs;
    let oldest = NO_RUN;
    let each = run;
    for (; each !== NO_RUN && (starts[each] as number) <= at; each = nextInNode[each] as number) {
      if ((starts[each] as number) + (lengths[each] as number) <= at) continue;
      if (oldest === NO_RUN || (ages[each] as number) < (ages[oldest] as number)) oldest = each;
    }
    if (oldest === NO_RUN) return NO_RUN;
    let end = (starts[oldest] as number) + (lengths[oldest] as number);
    for (; each !== NO_RUN && (starts[each] as number) < end; each = nextInNode[each] as number)
      if ((ages[each] as number) < (ages[oldest] as number)) end = starts[each] as number;
    index.foundEnd = end;
    return oldest;
  }

  const index = {
    foundEnd: 0,
    find(node: number, at: number): number {
      const head = node < heads.length ? (heads[node] as number) : NO_RUN;
      if (head === NO_RUN) return NO_RUN;
      const { starts, lengths, nextInNode } = runs;
      if (nextInNode[head] !== NO_RUN) return findFrom(head, at);
      const start = starts[head] as number;
      const end = start + (lengths[head] as number);
      if (at < start || at >= end) return NO_RUN;
      index.foundEnd = end;
      return head;
    },
    nextNotOlder(node: number, from: number, to: number, age: number): number {
      const { starts, lengths, ages, nextInNode } = runs;
      let run = node < heads.length ? (heads[node] as number) : NO_RUN;
      for (; run !== NO_RUN && (starts[run] as number) < to; run = nextInNode[run] as number) {
        if ((ages[run] as number) < age) continue;
        const start = starts[run] as number;
        if (start + (lengths[run] as number) > from) return Math.max(start, from);
      }
      return to;
    },
    isAlone: (run: number): boolean =>
      heads[runs.nodes[run] as number] === run && runs.nextInNode[run] === NO_RUN,
    add(run: number): void {
      const { starts, nextInNode } = runs;
      const node = runs.nodes[run] as number;
      if (node >= heads.length) {
        const larger = new Int32Array(Math.max(node + 1, heads.length * 2));
        larger.set(heads);
        heads = larger;
      }
      const start = starts[run] as number;
      let before = NO_RUN;
      let after = heads[node] as number;
      while (after !== NO_RUN && (starts[after] as number) < start) {
        before = after;
        after = nextInNode[after] as number;
      }
      nextInNode[run] = after;
      if (before === NO_RUN) heads[node] = run;
      else nextInNode[before] = run;
    },
    remove(run: number): void {
      const { nextInNode } = runs;
      const node = runs.nodes[run] as number;
      const after = nextInNode[run] as number;
      if (heads[node] === run) {
        heads[node] = after;
        return;
      }
      let before = heads[node] as number;
      while (nextInNode[before] !== run) before = nextInNode[before] as number;
      nextInNode[before] = after;
    },
  };
  return index;
}
