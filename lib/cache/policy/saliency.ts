import type { CachePolicy } from '../../spec/cache-policy';
import type { AttendedRows } from '../../transformer/types';
import type { SlotCache } from '../slots/types';

/**
 * Adds the attention of every query that runs to the `saliency` of the slots it goes to: the column
 * sums of H2O, reduced over a group's query heads row by row.
 *
 * @param group query heads per KV head
 */
export function accumulateSaliency(
  cache: SlotCache,
  group: number,
  how: CachePolicy['reducers']['group'],
): (attended: AttendedRows) => void {
  return ({ layer, kvHead, rows, count, weights }) => {
    const sums = new Float32Array(count);
    const before = cache.meta(layer, kvHead, 'saliency');
    if (before) sums.set(before);
    const one = new Float32Array(how === 'max' ? count : 0);
    const share = how === 'mean' ? 1 / group : 1;
    for (let row = 0; row < rows; row++) {
      one.fill(0);
      for (let member = 0; member < group; member++) {
        const at = (row * group + member) * count;
        for (let slot = 0; slot < count; slot++) {
          const weight = weights[at + slot]!;
          if (how !== 'max') sums[slot] = sums[slot]! + share * weight;
          else if (weight > one[slot]!) one[slot] = weight;
        }
      }
      for (let slot = 0; slot < one.length; slot++) sums[slot] = sums[slot]! + one[slot]!;
    }
    cache.setMeta(layer, kvHead, 'saliency', sums);
  };
}
