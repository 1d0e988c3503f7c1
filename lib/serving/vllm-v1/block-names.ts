/** Stands for no run of blocks. */
export const NO_RUN = -1;

/** By content, the runs that have a block of it, in the order in which those were named. */
export interface BlockNames {
  /** The run named first by content, or `NO_RUN`; contents from its length on have none. */
  first: Int32Array;
  add(content: number, run: number): void;
  /** The block of this content in `run` is overwritten. */
  remove(content: number, run: number): void;
  /** The block of this content is now part of `to`, and as old as it was. */
  move(content: number, run: number, to: number): void;
}

/** Contents are numbers from 0 without gaps; few of them are in memory twice. */
export function createBlockNames(): BlockNames {
  /** 1 where `others` has more blocks of the content than the first. */
  let isRepeated = new Uint8Array(0);
  const others = new Map<number, number[]>();

  function growTo(content: number): void {
    const length = Math.max(1024, 2 * names.first.length, content + 1);
    const first = new Int32Array(length).fill(NO_RUN);
    first.set(names.first);
    names.first = first;
    const repeated = new Uint8Array(length);
    repeated.set(isRepeated);
    isRepeated = repeated;
  }

  function place(list: readonly number[], run: number, content: number): number {
    const at = list.indexOf(run);
    if (at < 0) throw new RangeError(`run ${run} has no block of content ${content}`);
    return at;
  }

  function removeRepeated(content: number, run: number): void {
    const list = others.get(content) as number[];
    if (names.first[content] === run) names.first[content] = list.shift() as number;
    else list.splice(place(list, run, content), 1);
    if (list.length > 0) return;
    others.delete(content);
    isRepeated[content] = 0;
  }

  const names: BlockNames = {
    first: new Int32Array(0),
    add(content, run) {
      if (content >= names.first.length) growTo(content);
      if (names.first[content] === NO_RUN) {
        names.first[content] = run;
        return;
      }
      const list = others.get(content);
      if (list !== undefined) list.push(run);
      else others.set(content, [run]);
      isRepeated[content] = 1;
    },
    remove(content, run) {
      if (isRepeated[content] === 0) names.first[content] = NO_RUN;
      else removeRepeated(content, run);
    },
    move(content, run, to) {
      if (names.first[content] === run) {
        names.first[content] = to;
        return;
      }
      const list = others.get(content) as number[];
      list[place(list, run, content)] = to;
    },
  };
  return names;
}
