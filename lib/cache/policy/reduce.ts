import type { CachePolicy } from '../../spec/cache-policy';
import type { WindowWeights } from './window-attention';

type Reducers = CachePolicy['reducers'];

/** Scores of the slots, one row a query head of the group, [group][slots]. */
export function reduceRows(
  { rows, group, slots, weights, visible }: WindowWeights,
  how: Reducers['rows'],
  perVisible: boolean,
): Float32Array[] {
  return Array.from({ length: group }, (_, member) => {
    const sums = new Float64Array(slots);
    const squares = new Float64Array(how.type === 'mean-variance' ? slots : 0);
    const most = new Float64Array(how.type === 'max' ? slots : 0);
    for (let row = 0; row < rows; row++) {
      const start = (row * group + member) * slots;
      for (let slot = 0; slot < slots; slot++) {
        const weight = weights[start + slot]!;
        sums[slot] = sums[slot]! + weight;
        if (how.type === 'mean-variance') squares[slot] = squares[slot]! + weight * weight;
        else if (how.type === 'max' && weight > most[slot]!) most[slot] = weight;
      }
    }
    const out = new Float32Array(slots);
    for (let slot = 0; slot < slots; slot++) {
      // The queries that see a slot, not all of them, are what its mean is over.
      const seen = Math.max(1, perVisible ? visible[slot]! : rows);
      const mean = sums[slot]! / seen;
      switch (how.type) {
        case 'max':
          out[slot] = most[slot]!;
          break;
        case 'sum':
          out[slot] = perVisible ? mean : sums[slot]!;
          break;
        case 'mean':
          out[slot] = mean;
          break;
        case 'mean-variance':
          out[slot] = mean + how.gamma * Math.max(0, squares[slot]! / seen - mean * mean);
          break;
      }
    }
    return out;
  });
}

/** One row of scores from those of a group's query heads, [slots]. */
export function reduceGroup(scores: readonly Float32Array[], how: Reducers['group']): Float32Array {
  const first = scores[0]!;
  if (scores.length === 1) return first;
  return first.map((_, slot) => {
    let sum = 0;
    let most = -Infinity;
    for (const one of scores) {
      sum += one[slot]!;
      most = Math.max(most, one[slot]!);
    }
    return how === 'max' ? most : how === 'sum' ? sum : sum / scores.length;
  });
}

/**
 * Pooling of scores along slots, stride 1, as PyTorch's pool1d with padding kernel / 2: an average
 * counts the padding's zeros, a maximum does not see them.
 *
 * @param end slots from here on are left as they are (the window that is kept anyway)
 */
export function poolScores(
  scores: Float32Array,
  how: Reducers['pool'],
  end = scores.length,
): Float32Array {
  if (how.type === 'none' || how.kernel === 1) return scores;
  const { kernel } = how;
  const before = kernel >> 1;
  const out = scores.slice();
  for (let slot = 0; slot < end; slot++) {
    let sum = 0;
    let most = -Infinity;
    for (let i = 0; i < kernel; i++) {
      const from = slot - before + i;
      if (from < 0 || from >= end) continue;
      sum += scores[from]!;
      most = Math.max(most, scores[from]!);
    }
    out[slot] = how.type === 'avg' ? sum / kernel : most;
  }
  return out;
}

/**
 * Mean over the heads of a layer, slot by slot of the same text position, for policies that keep the
 * same tokens in all heads of a layer.
 *
 * @param positions [heads][slots]
 */
export function meanOverHeads(
  scores: readonly Float32Array[],
  positions: readonly Int32Array[],
): Float32Array[] {
  const first = positions[0]!;
  if (positions.every((own) => isEqual(own, first))) {
    const mean = reduceGroup(scores, 'mean');
    return scores.map(() => mean.slice());
  }
  const sums = new Map<number, { sum: number; heads: number }>();
  scores.forEach((own, head) => {
    own.forEach((score, slot) => {
      const position = positions[head]![slot]!;
      const entry = sums.get(position) ?? { sum: 0, heads: 0 };
      entry.sum += score;
      entry.heads++;
      sums.set(position, entry);
    });
  });
  return positions.map((own) =>
    Float32Array.from(own, (position) => {
      const { sum, heads } = sums.get(position)!;
      return sum / heads;
    }),
  );
}

function isEqual(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
