import { cosineOf, type MergeGroup, normalised } from './merge-slots';

/** How evicted slots enter the kept one that is nearest. */
export type MergeRule =
  /** Equal shares. */
  | 'averaged'
  /** Every evicted slot is first averaged with the kept one: the kept one stays more than half. */
  | 'pivotal'
  /** Shares by cosine to the kept key; opposite keys get none. */
  | 'weighted';

/**
 * Every slot that is not kept joins the kept slot whose key has the largest cosine with its own, the
 * earlier of equals (LOOK-M, Wan et al. 2024).
 *
 * @param kept [slots]
 * @throws RangeError where none is kept
 */
export function intoNearestKey(
  keys: Float32Array,
  headSize: number,
  kept: readonly boolean[],
  rule: MergeRule,
): MergeGroup[] {
  const anchors = anchorsOf(kept);
  const joined = joinedTo(kept, anchors, (slot, anchor) => cosineOf(keys, headSize, slot, anchor));
  return anchors.map((pivot) => {
    const members = joined.get(pivot)!;
    const others = members.length - 1;
    const shares = members.map((slot) => {
      if (rule === 'averaged') return 1;
      if (rule === 'pivotal') return slot === pivot ? 1 + others / 2 : 0.5;
      return slot === pivot ? 1 : Math.max(0, cosineOf(keys, headSize, slot, pivot));
    });
    return { pivot, members, weights: normalised(shares) };
  });
}

/**
 * Every slot that is not kept joins the kept slot nearest in position, the earlier of equals, with
 * equal shares (Elastic Cache, Liu et al. 2024).
 *
 * @param positions ascending, [slots]
 * @throws RangeError where none is kept
 */
export function intoNearestPosition(positions: Int32Array, kept: readonly boolean[]): MergeGroup[] {
  const anchors = anchorsOf(kept);
  const joined = joinedTo(
    kept,
    anchors,
    (slot, anchor) => -Math.abs(positions[slot]! - positions[anchor]!),
  );
  return anchors.map((pivot) => {
    const members = joined.get(pivot)!;
    return { pivot, members, weights: members.map(() => 1 / members.length) };
  });
}

/** Rank of every value, 0 for the smallest, earlier first among equals: an argsort of an argsort. */
export function ranksOf(values: ArrayLike<number>): number[] {
  const order = argsort(values);
  const ranks = new Array<number>(order.length);
  order.forEach((index, rank) => {
    ranks[index] = rank;
  });
  return ranks;
}

/** Indices from the smallest value to the largest. */
export function argsort(values: ArrayLike<number>): number[] {
  return Array.from({ length: values.length }, (_, i) => i).sort(
    (i, j) => values[i]! - values[j]! || i - j,
  );
}

/**
 * Slots to keep by rank: forced ones first, whatever their score, then the best.
 *
 * @param forced [slots]; not counted beyond `count`, which grows to hold them all
 */
export function keepBest(
  scores: ArrayLike<number>,
  count: number,
  forced: readonly boolean[] = [],
): boolean[] {
  const left = Math.max(0, count - forced.filter(Boolean).length);
  const free = argsort(scores).filter((i) => !forced[i]);
  const best = new Set(free.slice(free.length - Math.min(left, free.length)));
  return Array.from({ length: scores.length }, (_, i) => forced[i] === true || best.has(i));
}

function anchorsOf(kept: readonly boolean[]): number[] {
  const anchors = kept.flatMap((flag, i) => (flag ? [i] : []));
  if (anchors.length === 0) throw new RangeError('invalid kept: no slot to merge into');
  return anchors;
}

function joinedTo(
  kept: readonly boolean[],
  anchors: readonly number[],
  closeness: (slot: number, anchor: number) => number,
): Map<number, number[]> {
  const joined = new Map<number, number[]>(anchors.map((anchor) => [anchor, []]));
  kept.forEach((isKept, slot) => {
    let nearest = slot;
    let best = -Infinity;
    for (const anchor of isKept ? [] : anchors) {
      const close = closeness(slot, anchor);
      if (close > best) {
        best = close;
        nearest = anchor;
      }
    }
    joined.get(nearest)!.push(slot);
  });
  return joined;
}
