import type { Rope } from '../../attention/position/rope-frequencies';
import { rotateInto } from '../../transformer/reference';
import type { TransformerConfig } from '../../transformer/types';
import type { HeadRows } from './head-rows';

/** Queries of some rows at one layer. */
export interface LayerQueries {
  readonly rows: number;
  /** Before RoPE, [rows, heads, headSize]. */
  readonly queries: Float32Array;
  readonly positions: Int32Array;
}

/**
 * Softmax attention of some queries over the rows of one head, each over what it can see, summed over
 * the queries and over the heads that share the KV head.
 *
 * @returns [rows of the head]
 */
export function windowAttention(
  config: TransformerConfig,
  rope: Rope,
  { rows, queries, positions }: LayerQueries,
  kvHead: number,
  held: HeadRows,
): Float64Array {
  const { heads, kvHeads, headSize } = config;
  const group = heads / kvHeads;
  const { count, rotated, positions: at } = held;
  const total = new Float64Array(count);
  const scores = new Float64Array(count);
  const query = new Float32Array(headSize);
  const scale = 1 / Math.sqrt(headSize);
  for (let row = 0; row < rows; row++) {
    const position = positions[row]!;
    for (let head = 0; head < group; head++) {
      rotateInto(
        queries,
        (row * heads + kvHead * group + head) * headSize,
        position,
        rope,
        query,
        0,
      );
      let largest = -Infinity;
      let seen = 0;
      for (; seen < count && at[seen]! <= position; seen++) {
        let dot = 0;
        for (let d = 0; d < headSize; d++) dot += query[d]! * rotated[seen * headSize + d]!;
        scores[seen] = dot * scale;
        if (scores[seen]! > largest) largest = scores[seen]!;
      }
      let sum = 0;
      for (let i = 0; i < seen; i++) {
        scores[i] = Math.exp(scores[i]! - largest);
        sum += scores[i]!;
      }
      for (let i = 0; i < seen; i++) total[i] = total[i]! + scores[i]! / sum;
    }
  }
  return total;
}

/** Mean over `kernel` neighbours (an odd number), zeros beyond the ends, as the average pooling of SnapKV. */
export function averagePool(scores: Float64Array, kernel: number): Float64Array {
  if (!(Number.isInteger(kernel) && kernel > 0 && kernel % 2 === 1)) {
    throw new RangeError(`invalid kernel: ${kernel} (expected a positive odd number)`);
  }
  const reach = (kernel - 1) / 2;
  return scores.map((_, i) => {
    let sum = 0;
    for (let j = Math.max(0, i - reach); j <= Math.min(scores.length - 1, i + reach); j++) {
      sum += scores[j]!;
    }
    return sum / kernel;
  });
}

/**
 * Scores pooled up to the last `window` rows, which stay as they are: the window's attention to itself
 * says nothing of the tokens before it.
 */
export function poolBeforeWindow(
  scores: Float64Array,
  window: number,
  kernel: number,
): Float64Array {
  const out = scores.slice();
  out.set(averagePool(scores.subarray(0, Math.max(0, scores.length - window)), kernel));
  return out;
}
