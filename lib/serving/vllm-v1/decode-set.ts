/**
 * Requests that decode one token in every step, kept so that a step costs nothing for each: all
 * advance together, so of each only `base` is stored, and before step `n` it has `base + n` tokens
 * computed. Steps are numbered as they are formed.
 */
export interface DecodeSet {
  count: number;
  /** Places that have been used; a free one has id `NOBODY`. */
  places: number;
  ids: Int32Array;
  bases: Int32Array;
  /** First step that each is in, and the one that computes its last token. */
  firstSteps: Int32Array;
  lastSteps: Int32Array;
  baseSum: number;
  /** Places of members by the step, modulo the block size, at which they need one more block. */
  readonly growing: number[][];
  readonly blockTokens: number;
  /** Members by the last step, modulo `LAP`: the first place of a chain, whose next ones are in `nexts`. */
  readonly ending: Int32Array;
  nexts: Int32Array;
  readonly free: number[];
  /** Least and largest base, where no member that had one of them has left since. */
  least: number;
  largest: number;
  isRangeKnown: boolean;
}

/** The id at a free place. */
export const NOBODY = -1;
/** Most members end within so many steps, so chains are short. */
const LAP = 1024;

export function createDecodeSet(blockTokens: number): DecodeSet {
  return {
    count: 0,
    places: 0,
    ids: new Int32Array(64),
    bases: new Int32Array(64),
    firstSteps: new Int32Array(64),
    lastSteps: new Int32Array(64),
    baseSum: 0,
    growing: Array.from({ length: blockTokens }, () => []),
    blockTokens,
    ending: new Int32Array(LAP).fill(NOBODY),
    nexts: new Int32Array(64),
    free: [],
    least: Infinity,
    largest: -Infinity,
    isRangeKnown: true,
  };
}

function growingAt(set: DecodeSet, base: number): number[] {
  const phase = -base % set.blockTokens;
  return set.growing[phase < 0 ? phase + set.blockTokens : phase] as number[];
}

/** Places of the members that need one more block in step `step`, all before being full. */
export function growingIn(set: DecodeSet, step: number): readonly number[] {
  return set.growing[step % set.blockTokens] as number[];
}

function grow(set: DecodeSet): void {
  const larger = (column: Int32Array): Int32Array => {
    const copy = new Int32Array(set.places * 2);
    copy.set(column);
    return copy;
  };
  set.ids = larger(set.ids);
  set.bases = larger(set.bases);
  set.firstSteps = larger(set.firstSteps);
  set.lastSteps = larger(set.lastSteps);
  set.nexts = larger(set.nexts);
}

/** Adds a request that has `base + firstStep` tokens computed before step `firstStep`. */
export function joinDecodes(
  set: DecodeSet,
  id: number,
  base: number,
  firstStep: number,
  lastStep: number,
): void {
  if (set.free.length === 0 && set.places === set.ids.length) grow(set);
  const at = set.free.pop() ?? set.places++;
  set.ids[at] = id;
  set.bases[at] = base;
  set.firstSteps[at] = firstStep;
  set.lastSteps[at] = lastStep;
  set.nexts[at] = set.ending[lastStep % LAP] as number;
  set.ending[lastStep % LAP] = at;
  set.count++;
  set.baseSum += base;
  if (base < set.least) set.least = base;
  if (base > set.largest) set.largest = base;
  growingAt(set, base).push(at);
}

/**
 * Takes out the members whose last step is `step`.
 * @param lastIds,lastFirstSteps filled with them and the first step that each was in
 * @returns how many
 */
export function takeLast(
  set: DecodeSet,
  step: number,
  lastIds: number[],
  lastFirstSteps: number[],
): number {
  const { ids, bases, firstSteps, lastSteps, nexts, ending } = set;
  let taken = 0;
  let before = NOBODY;
  for (let at = ending[step % LAP] as number; at !== NOBODY; ) {
    const next = nexts[at] as number;
    if (lastSteps[at] !== step) {
      before = at;
      at = next;
      continue;
    }
    if (before === NOBODY) ending[step % LAP] = next;
    else nexts[before] = next;
    const id = ids[at] as number;
    const base = bases[at] as number;
    lastIds[taken] = id;
    lastFirstSteps[taken++] = firstSteps[at] as number;
    set.baseSum -= base;
    const members = growingAt(set, base);
    // The order of members says nothing: the last one fills the place.
    members[members.indexOf(at)] = members[members.length - 1] as number;
    members.pop();
    ids[at] = NOBODY;
    set.free.push(at);
    if (base === set.least || base === set.largest) set.isRangeKnown = false;
    at = next;
  }
  set.count -= taken;
  return taken;
}

/** Brings `least` and `largest` up to date. */
export function knowRange(set: DecodeSet): void {
  if (set.isRangeKnown) return;
  let least = Infinity;
  let largest = -Infinity;
  for (let at = 0; at < set.places; at++) {
    if (set.ids[at] === NOBODY) continue;
    const base = set.bases[at] as number;
    if (base < least) least = base;
    if (base > largest) largest = base;
  }
  set.least = least;
  set.largest = largest;
  set.isRangeKnown = true;
}

export function clearDecodes(set: DecodeSet): void {
  set.count = 0;
  set.places = 0;
  set.baseSum = 0;
  set.least = Infinity;
  set.largest = -Infinity;
  set.isRangeKnown = true;
  set.free.length = 0;
  set.ending.fill(NOBODY);
  for (const members of set.growing) members.length = 0;
}
