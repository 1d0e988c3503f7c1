/** Slots that become one. */
export interface MergeGroup {
  /** Slot whose position the merged one takes. */
  readonly pivot: number;
  /** Slots of the group, the pivot among them, ascending. */
  readonly members: readonly number[];
  /** Share of each member in the merged key and value; they sum to 1. */
  readonly weights: readonly number[];
}

/** Slots of one (layer, KV head). */
export interface SlotRows {
  readonly headSize: number;
  /** Pre-RoPE, [slots, headSize]. */
  readonly keys: Float32Array;
  /** [slots, headSize] */
  readonly values: Float32Array;
  /** [slots] */
  readonly positions: Int32Array;
  /** Tokens that each slot stands for, [slots]. */
  readonly multiplicity: Float32Array;
}

/**
 * Merges groups of slots: keys and values are weighted means, the position is the pivot's, and the
 * multiplicities add up. Slots in no group are gone. With the log of its multiplicity added to its
 * score, a merged slot of equal keys answers exactly as its members did; without it, it is given the
 * softmax weight of one.
 *
 * @throws RangeError where a slot is in two groups, or weights do not sum to 1
 */
export function mergeSlots(slots: SlotRows, groups: readonly MergeGroup[]): SlotRows {
  const { headSize } = slots;
  const keys = new Float32Array(groups.length * headSize);
  const values = new Float32Array(groups.length * headSize);
  const positions = new Int32Array(groups.length);
  const multiplicity = new Float32Array(groups.length);
  const seen = new Set<number>();
  groups.forEach(({ pivot, members, weights }, at) => {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (weights.length !== members.length || Math.abs(sum - 1) > 1e-6) {
      throw new RangeError(`invalid weights: sum ${sum} of ${weights.length} (expected 1)`);
    }
    positions[at] = slots.positions[pivot]!;
    members.forEach((member, i) => {
      if (seen.has(member)) throw new RangeError(`slot ${member} is in two groups`);
      seen.add(member);
      multiplicity[at] = multiplicity[at]! + slots.multiplicity[member]!;
      for (let d = 0; d < headSize; d++) {
        const from = member * headSize + d;
        const to = at * headSize + d;
        keys[to] = keys[to]! + weights[i]! * slots.keys[from]!;
        values[to] = values[to]! + weights[i]! * slots.values[from]!;
      }
    });
  });
  return { headSize, keys, values, positions, multiplicity };
}

/** Weights in proportion to `shares`; equal ones where all are 0. */
export function normalised(shares: readonly number[]): number[] {
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => (sum > 0 ? share / sum : 1 / shares.length));
}

/** Cosine of the angle between two rows of a matrix; 0 where either is 0. */
export function cosineOf(rows: Float32Array, width: number, i: number, j: number): number {
  let dot = 0;
  let first = 0;
  let second = 0;
  for (let d = 0; d < width; d++) {
    const x = rows[i * width + d]!;
    const y = rows[j * width + d]!;
    dot += x * y;
    first += x * x;
    second += y * y;
  }
  return first > 0 && second > 0 ? dot / Math.sqrt(first * second) : 0;
}
