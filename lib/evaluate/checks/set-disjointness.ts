import type { Random } from '../../random/random';

/** Two sets that share one symbol, in the order that they are read. */
export interface TwoSets {
  readonly first: readonly number[];
  readonly second: readonly number[];
  readonly shared: number;
}

/** Set disjointness with one shared symbol (Arora et al., 2024), at a random place of each set. */
export function twoSets(firstSize: number, secondSize: number, random: Random): TwoSets {
  const symbols = Array.from({ length: firstSize + secondSize - 1 }, (_, i) => i);
  const shared = symbols.length - 1;
  const place = (own: readonly number[]) => own.toSpliced(random.integer(0, own.length), 0, shared);
  return {
    first: place(symbols.slice(0, firstSize - 1)),
    second: place(symbols.slice(firstSize - 1, -1)),
    shared,
  };
}

/**
 * A recurrence with room for `room` symbols, constructed by hand: one state, updated symbol by
 * symbol, that never looks back. It holds the first list as far as it has room and looks for the
 * symbols of the next one in it; where the list did not fit it holds the next one instead.
 *
 * @param reads how often the prompt holds both lists
 * @returns the shared symbol, or undefined where the state did not hold it
 */
export function findShared(
  { first, second }: TwoSets,
  room: number,
  reads: 1 | 2,
): number | undefined {
  const lists = reads === 1 ? [first, second] : [first, second, first, second];
  let held: readonly number[] = [];
  let isWhole = false;
  for (const list of lists) {
    const known = new Set(held);
    const found = list.find((symbol) => known.has(symbol));
    if (found !== undefined) return found;
    if (isWhole) continue;
    held = list.slice(0, room);
    isWhole = list.length <= room;
  }
  return undefined;
}
