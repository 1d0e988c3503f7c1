import type { PromptContent } from '../../workload/types';
import { createChain } from '../vllm-v1/chain';

/** Names chunks of prompts by their own tokens alone, wherever they stand. */
export interface ChunkContents {
  readonly chunkTokens: number;
  /** The full chunks of a request's prompt, the last prompt token left out: it is always computed. */
  chunksOf(id: number): Int32Array;
}

/**
 * @param content token ids, cut into chunks of `chunkTokens`, or hashes, of which each names a chunk
 * @throws RangeError when blocks do not divide chunks
 */
export function createChunkContents(
  content: PromptContent | undefined,
  promptTokens: Int32Array,
  chunkTokens: number,
  blockTokens: number,
): ChunkContents {
  if (content === undefined) return { chunkTokens, chunksOf: () => new Int32Array(0) };
  const { tokensPerId, offsets, ids } = content;
  const size = tokensPerId === 1 ? chunkTokens : tokensPerId;
  if (size % blockTokens !== 0)
    throw new RangeError(
      `invalid blockTokens: ${blockTokens} (chunks have ${size} tokens, which it must divide)`,
    );
  const idsPerChunk = tokensPerId === 1 ? chunkTokens : 1;
  // Without a parent equal numbers mean equal tokens, whatever was before.
  const chain = createChain(ids, idsPerChunk);
  const known = new Map<number, Int32Array>();
  return {
    chunkTokens: size,
    chunksOf(id) {
      let chunks = known.get(id);
      if (chunks !== undefined) return chunks;
      const from = offsets[id] as number;
      const named = Math.floor(((offsets[id + 1] as number) - from) / idsPerChunk);
      const full = Math.floor(((promptTokens[id] as number) - 1) / size);
      chunks = Int32Array.from({ length: Math.min(named, full) }, (_, i) =>
        chain.linkAt(-1, from + i * idsPerChunk),
      );
      known.set(id, chunks);
      return chunks;
    },
  };
}
