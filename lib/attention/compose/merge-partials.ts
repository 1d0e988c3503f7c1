import { checkParts } from './checks';
import type { MergedAttention, PartialAttention } from './types';

/** A part that has seen no key: the neutral element of `mergePartials`. */
export function emptyPartial(rows: number, valueSize: number): MergedAttention {
  return {
    rows,
    valueSize,
    output: new Float64Array(rows * valueSize),
    lse: new Float64Array(rows).fill(-Infinity),
  };
}

/**
 * Attention over the union of disjoint key sets from the attention over each, exactly:
 * lse = log(sum of exp(lse_i)), output = sum of exp(lse_i - lse) output_i. This is the reduction of
 * FlashAttention's key blocks (Dao 2023), whatever the partition. Parts may be the blocks of a
 * kernel, the tiers of a cache, or a shared prefix and what follows it.
 *
 * @param parts at least one, all [rows, valueSize]
 * @throws RangeError where shapes differ or an lse is NaN or +Infinity
 */
export function mergePartials(parts: readonly PartialAttention[]): MergedAttention {
  const { rows, valueSize } = checkParts(parts);
  const merged = emptyPartial(rows, valueSize);
  for (let row = 0; row < rows; row++) {
    let maximum = -Infinity;
    for (const part of parts) maximum = Math.max(maximum, part.lse[row]!);
    if (maximum === -Infinity) continue;
    const out = merged.output.subarray(row * valueSize, (row + 1) * valueSize);
    let sum = 0;
    for (const part of parts) {
      const weight = Math.exp(part.lse[row]! - maximum);
      // Kernels may leave anything in the output of a row without keys, NaN included.
      if (weight === 0) continue;
      sum += weight;
      for (let d = 0; d < valueSize; d++) {
        out[d] = out[d]! + weight * part.output[row * valueSize + d]!;
      }
    }
    for (let d = 0; d < valueSize; d++) out[d] = out[d]! / sum;
    merged.lse[row] = maximum + Math.log(sum);
  }
  return merged;
}

/**
 * Share of the softmax mass that falls on each part, such as a tier of a cache: exp(lse_i - lse) as
 * [parts][rows]. Shares of a row sum to 1, or are all 0 where it sees no key at all.
 */
export function massShares(parts: readonly PartialAttention[]): readonly Float64Array[] {
  const { lse } = mergePartials(parts);
  return parts.map((part) =>
    Float64Array.from(part.lse, (each, row) =>
      each === -Infinity ? 0 : Math.exp(each - lse[row]!),
    ),
  );
}
