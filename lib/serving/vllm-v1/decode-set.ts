/**
 * Requests that decode one token in every step, kept so that a step costs nothing for each: all
 * advance together, so of each only `base` is stored, and before step `n` it has `base + n` tokens
 * computed. Steps are numbered as they are formed.
 */
export interface DecodeSet {
  count: number;
  ids: Int32Array;
  bases: Int32Array;
  /** First step that each is in, and the one that computes its last token. */
  firstSteps: Int32Array;
  lastSteps: Int32Array;
  baseSum: number;
  leastBase: number;
  largestBase: number;
  /** The nearest of `lastSteps`; Infinity for an empty set. */
  nextLastStep: number;
  /** Members by the step, modulo the block size, at which they need one more block. */
  readonly growing: number[][];
  readonly blockTokens: number;
}

export function createDecodeSet(blockTokens: number): DecodeSet {
  return {
    count: 0,
    ids: new Int32Array(64),
    bases: new Int32Array(64),
    firstSteps: new Int32Array(64),
    lastSteps: new Int32Array(64),
    baseSum: 0,
    leastBase: Infinity,
    largestBase: -Infinity,
    nextLastStep: Infinity,
    growing: Array.from({ length: blockTokens }, () => []),
    blockTokens,
  };
}

function growingAt(set: DecodeSet, base: number): number[] {
  const phase = -base % set.blockTokens;
  return set.growing[phase < 0 ? phase + set.blockTokens : phase] as number[];
}

/** Members that need one more block in step `step`. */
export function growingIn(set: DecodeSet, step: number): readonly number[] {
  return set.growing[step % set.blockTokens] as number[];
}

/** Adds a request that has `base + firstStep` tokens computed before step `firstStep`. */
export function joinDecodes(
  set: DecodeSet,
  id: number,
  base: number,
  firstStep: number,
  lastStep: number,
): void {
  if (set.count === set.ids.length) {
    const larger = (column: Int32Array): Int32Array => {
      const copy = new Int32Array(set.count * 2);
      copy.set(column);
      return copy;
    };
    set.ids = larger(set.ids);
    set.bases = larger(set.bases);
    set.firstSteps = larger(set.firstSteps);
    set.lastSteps = larger(set.lastSteps);
  }
  const at = set.count++;
  set.ids[at] = id;
  set.bases[at] = base;
  set.firstSteps[at] = firstStep;
  set.lastSteps[at] = lastStep;
  set.baseSum += base;
  if (base < set.leastBase) set.leastBase = base;
  if (base > set.largestBase) set.largestBase = base;
  if (lastStep < set.nextLastStep) set.nextLastStep = lastStep;
  growingAt(set, base).push(id);
}

/**
 * Takes out the members whose last step is `step`, in one pass over the others.
 * @param lastIds,lastFirstSteps filled with them and the first step that each was in
 * @returns how many
 */
export function takeLast(
  set: DecodeSet,
  step: number,
  lastIds: number[],
  lastFirstSteps: number[],
): number {
  if (step < set.nextLastStep) return 0;
  const { ids, bases, firstSteps, lastSteps } = set;
  let { count } = set;
  let taken = 0;
  let least = Infinity;
  let largest = -Infinity;
  let next = Infinity;
  for (let i = 0; i < count; ) {
    const base = bases[i] as number;
    const last = lastSteps[i] as number;
    if (last === step) {
      const id = ids[i] as number;
      lastIds[taken] = id;
      lastFirstSteps[taken++] = firstSteps[i] as number;
      set.baseSum -= base;
      const members = growingAt(set, base);
      members[members.indexOf(id)] = members[members.length - 1] as number;
      members.pop();
      // The order of members says nothing: the last one fills the place.
      count--;
      ids[i] = ids[count] as number;
      bases[i] = bases[count] as number;
      firstSteps[i] = firstSteps[count] as number;
      lastSteps[i] = lastSteps[count] as number;
      continue;
    }
    if (base < least) least = base;
    if (base > largest) largest = base;
    if (last < next) next = last;
    i++;
  }
  set.count = count;
  set.leastBase = least;
  set.largestBase = largest;
  set.nextLastStep = next;
  return taken;
}

export function clearDecodes(set: DecodeSet): void {
  set.count = 0;
  set.baseSum = 0;
  set.leastBase = Infinity;
  set.largestBase = -Infinity;
  set.nextLastStep = Infinity;
  for (const members of set.growing) members.length = 0;
}
