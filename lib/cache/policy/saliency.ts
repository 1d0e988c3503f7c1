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
    for (let row = 0; row < rows; row++) {
      const at = row * group * count;
      for (let slot = 0; slot < count; slot++) {
        let sum = 0;
        let most = 0;
        for (let member = 0; member < group; member++) {
          const weight = weights[at + member * count + slot]!;
          sum += weight;
          if (weight > most) most = weight;
        }
        sums[slot] = sums[slot]! + (how === 'max' ? most : how === 'sum' ? sum : sum / group);
      }
    }
    cache.setMeta(layer, kvHead, 'saliency', sums);
  };
}
