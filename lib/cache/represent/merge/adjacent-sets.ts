import { cosineOf, type MergeGroup, normalised } from './merge-slots';

export interface AdjacentOptions {
  /** Neighbours whose keys have at least this cosine fall into one set. */
  readonly threshold?: number;
  /** Or: join the most similar neighbours until this many slots are left. */
  readonly slots?: number;
  /** Slots that stay on their own, [slots]. */
  readonly exempt?: readonly boolean[];
}

/**
 * Sets of consecutive slots with similar keys, in order: every slot is in exactly one (the merging
 * sets of KVMerger, Wang et al. 2024, found by joining neighbours).
 *
 * @throws RangeError unless exactly one of `threshold` and `slots` is given
 */
export function adjacentSets(
  keys: Float32Array,
  headSize: number,
  { threshold, slots, exempt }: AdjacentOptions,
): number[][] {
  if ((threshold === undefined) === (slots === undefined)) {
    throw new RangeError('invalid options: expected either threshold or slots');
  }
  const count = keys.length / headSize;
  const similarity = new Float64Array(Math.max(0, count - 1));
  const joinable: number[] = [];
  for (let i = 0; i + 1 < count; i++) {
    similarity[i] = cosineOf(keys, headSize, i, i + 1);
    if (!exempt?.[i] && !exempt?.[i + 1]) joinable.push(i);
  }
  const chosen =
    threshold !== undefined
      ? joinable.filter((i) => similarity[i]! >= threshold)
      : joinable
          .sort((i, j) => similarity[j]! - similarity[i]! || i - j)
          .slice(0, Math.max(0, count - (slots as number)));
  const joins = new Set(chosen);
  const sets: number[][] = [];
  for (let i = 0; i < count; i++) {
    if (i > 0 && joins.has(i - 1)) sets.at(-1)!.push(i);
    else sets.push([i]);
  }
  return sets;
}

/**
 * Groups of the sets with Gaussian weights around the pivot, the member with the largest score:
 * exp(-|k_pivot - k|^2 / (2 sigma^2)) with sigma the mean distance of the other members to it.
 *
 * @param scores [slots]
 */
export function gaussianGroups(
  keys: Float32Array,
  headSize: number,
  sets: readonly (readonly number[])[],
  scores: ArrayLike<number>,
): MergeGroup[] {
  return sets.map((members) => {
    const pivot = members.reduce((best, i) => (scores[i]! > scores[best]! ? i : best));
    const squares = members.map((i) => squaredDistance(keys, headSize, pivot, i));
    const sigma =
      squares.reduce((sum, square) => sum + Math.sqrt(square), 0) / Math.max(1, members.length - 1);
    const shares = squares.map((square) =>
      sigma > 0 ? Math.exp(-square / (2 * sigma * sigma)) : 1,
    );
    return { pivot, members, weights: normalised(shares) };
  });
}

/** The same sets with equal weights. */
export function uniformGroups(
  sets: readonly (readonly number[])[],
  scores: ArrayLike<number>,
): MergeGroup[] {
  return sets.map((members) => ({
    pivot: members.reduce((best, i) => (scores[i]! > scores[best]! ? i : best)),
    members,
    weights: members.map(() => 1 / members.length),
  }));
}

function squaredDistance(rows: Float32Array, width: number, i: number, j: number): number {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += (rows[i * width + d]! - rows[j * width + d]!) ** 2;
  return sum;
}
