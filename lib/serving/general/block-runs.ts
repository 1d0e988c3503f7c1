/**
 * Where the blocks of requests lie in memory, for copies that take what lies together at once. A request
 * grows into the place after its last block; a new run takes the smallest gap that has room for a whole
 * group, else the largest, and keeps up to a group of free places for itself. Others take from what is
 * kept where nothing else is free: it is a preference and costs no memory.
 */
export interface BlockRuns {
  grow(id: number, blocks: number): void;
  free(id: number): void;
  /** Runs that the request's blocks from `from` up to `to` lie in. */
  count(id: number, from: number, to: number): number;
}

interface Gap {
  readonly start: number;
  readonly length: number;
}

const FREE = -1;

/** @param groupBlocks blocks that a run would like to have */
export function createBlockRuns(blocksTotal: number, groupBlocks: number): BlockRuns {
  /** Who has a place, and for whom it is kept. */
  const owner = new Int32Array(blocksTotal).fill(FREE);
  const keeper = new Int32Array(blocksTotal).fill(FREE);
  /** Places of each request, in the order of its tokens. */
  const places = new Map<number, number[]>();
  /** Kept places that each request has not used yet. */
  const kept = new Map<number, { from: number; to: number }>();

  function largestGap(isFree: (place: number) => boolean, atLeast: number): Gap | undefined {
    let fitting: Gap | undefined;
    let largest: Gap | undefined;
    for (let at = 0; at < blocksTotal; ) {
      if (!isFree(at)) {
        at++;
        continue;
      }
      const start = at;
      while (at < blocksTotal && isFree(at)) at++;
      const gap = { start, length: at - start };
      if (gap.length > (largest?.length ?? 0)) largest = gap;
      if (gap.length >= atLeast && gap.length < (fitting?.length ?? Infinity)) fitting = gap;
    }
    return fitting ?? largest;
  }

  function letGo(id: number): void {
    const range = kept.get(id);
    if (range === undefined) return;
    for (let at = range.from; at < range.to; at++) if (keeper[at] === id) keeper[at] = FREE;
    kept.delete(id);
  }

  function beginRun(id: number, blocks: number): number {
    letGo(id);
    const wanted = Math.max(blocks, groupBlocks);
    const gap =
      largestGap((at) => owner[at] === FREE && keeper[at] === FREE, wanted) ??
      largestGap((at) => owner[at] === FREE, wanted);
    if (gap === undefined) throw new RangeError(`no place for a block of request ${id}`);
    const to = gap.start + Math.min(gap.length, wanted);
    for (let at = gap.start; at < to; at++) keeper[at] = id;
    kept.set(id, { from: gap.start, to });
    return gap.start;
  }

  return {
    grow(id, blocks) {
      const own = places.get(id) ?? [];
      places.set(id, own);
      for (let left = blocks; left > 0; left--) {
        let next = (own.at(-1) ?? -2) + 1;
        const isOpen =
          next > 0 &&
          next < blocksTotal &&
          owner[next] === FREE &&
          (keeper[next] === id || keeper[next] === FREE);
        if (!isOpen) next = beginRun(id, left);
        owner[next] = id;
        own.push(next);
      }
    },
    free(id) {
      for (const at of places.get(id) ?? []) owner[at] = FREE;
      places.delete(id);
      letGo(id);
    },
    count(id, from, to) {
      const own = places.get(id) ?? [];
      let runs = 0;
      for (let i = from; i < Math.min(to, own.length); i++)
        if (i === from || own[i] !== (own[i - 1] as number) + 1) runs++;
      return runs;
    },
  };
}
