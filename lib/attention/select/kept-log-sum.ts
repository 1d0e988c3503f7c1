import { dot } from './dot';
import type { BlockGrid } from './grid';
import { visibleEnd } from './grid';
import type { HeadTensors } from './types';

/**
 * Log of the softmax normaliser of one query over the keys of kept blocks that it sees; -Infinity
 * without any.
 *
 * @param kept one flag per key block
 * @param scores overwritten, [keys]
 * @returns the pairs scored too
 */
export function keptLogSum(
  head: HeadTensors,
  grid: BlockGrid,
  query: number,
  kept: Uint8Array,
  scores: Float64Array,
): { readonly logSum: number; readonly pairs: number } {
  const scale = 1 / Math.sqrt(head.headSize);
  const end = visibleEnd(head, query);
  let pairs = 0;
  let maximum = -Infinity;
  for (let j = 0; j * grid.blockKeys < end; j++) {
    if (kept[j] !== 1) continue;
    const keyEnd = Math.min(end, (j + 1) * grid.blockKeys);
    for (let k = j * grid.blockKeys; k < keyEnd; k++) {
      const score =
        dot(head.query, query * head.headSize, head.key, k * head.headSize, head.headSize) * scale;
      scores[pairs++] = score;
      if (score > maximum) maximum = score;
    }
  }
  let sum = 0;
  for (let i = 0; i < pairs; i++) sum += Math.exp((scores[i] as number) - maximum);
  return { logSum: pairs === 0 ? -Infinity : maximum + Math.log(sum), pairs };
}
