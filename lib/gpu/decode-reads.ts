import { countVisiblePairs } from '../attention/block-list';
import type { AttentionInputs } from '../attention/types';
import { packBlockList } from './packed-list';

/** Share of the key blocks that a decode step visits: what its mask leaves of the cache. */
export function readShare(inputs: AttentionInputs, blockKeys: number): number {
  const { queries, kvHeads } = inputs.shape;
  const { full, partial, total } = packBlockList(inputs, queries, blockKeys, kvHeads);
  return (full + partial) / total;
}

/** Bytes that a step over f32 keys and values reads once. */
export function f32ReadBytes(parts: readonly AttentionInputs[], blockKeys: number): number {
  return parts.reduce(
    (sum, part) => sum + readShare(part, blockKeys) * (part.key.byteLength + part.value.byteLength),
    0,
  );
}

/** Additions and multiplications of a step's two products, over the pairs that its mask leaves. */
export function decodeFlops(parts: readonly AttentionInputs[]): number {
  return parts.reduce(
    (sum, { program, shape }) => sum + 4 * shape.headSize * countVisiblePairs(program, shape).pairs,
    0,
  );
}
