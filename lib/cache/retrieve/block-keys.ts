import type { ProjectedRows, TransformerConfig } from '../../transformer/types';
import { dot } from './choose';

/**
 * Mean before-RoPE key of every block with all KV heads side by side, [blocks, kvHeads x headSize].
 *
 * @param keys of each KV head, [count, headSize]
 */
export function meanBlockKeys(
  keys: readonly Float32Array[],
  count: number,
  headSize: number,
  blockTokens: number,
): Float32Array {
  const width = keys.length * headSize;
  const out = new Float32Array(Math.ceil(count / blockTokens) * width);
  keys.forEach((own, kvHead) => {
    for (let row = 0; row < count; row++) {
      const block = Math.floor(row / blockTokens);
      const tokens = Math.min(blockTokens, count - block * blockTokens);
      for (let d = 0; d < headSize; d++) {
        const at = block * width + kvHead * headSize + d;
        out[at] = out[at]! + own[row * headSize + d]! / tokens;
      }
    }
  });
  return out;
}

/**
 * Mean before-RoPE query of some rows, the heads that share a KV head averaged,
 * [kvHeads x headSize].
 */
export function meanQuery(
  { heads, kvHeads, headSize }: TransformerConfig,
  { rows, queries }: ProjectedRows,
): Float32Array {
  const group = heads / kvHeads;
  const out = new Float32Array(kvHeads * headSize);
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const to = Math.floor(head / group) * headSize;
      for (let d = 0; d < headSize; d++) {
        out[to + d] = out[to + d]! + queries[(row * heads + head) * headSize + d]! / (rows * group);
      }
    }
  }
  return out;
}

/** Dot product of each block's key with a query of the same width. */
export function blockScores(blocks: Float32Array, query: Float32Array): Float64Array {
  const width = query.length;
  return Float64Array.from({ length: blocks.length / width }, (_, block) =>
    dot(blocks, block * width, query, 0, width),
  );
}
