import type { Transformer } from '../../transformer/types';
import { createRowCache, type RowCache } from '../rows/row-cache';

/** How a context falls into a shared prefix and chunks. */
export interface ChunkPlan {
  /** Tokens before the first chunk: the begin-of-sequence token, instructions. */
  readonly prefixEnd: number;
  /** [start, end) of each chunk; together with the prefix they are the context. */
  readonly chunks: readonly (readonly [number, number])[];
}

/**
 * The shared prefix is what stands before the first chunk, and always the begin-of-sequence token: a
 * chunk is encoded after it, as the model has never read a text without. Without chunks the context
 * is one.
 *
 * @throws RangeError for starts that do not ascend inside the context
 */
export function planChunks(
  context: readonly number[],
  chunkStarts: readonly number[] | undefined,
  bosToken: number | undefined,
): ChunkPlan {
  const bosEnd = bosToken !== undefined && context[0] === bosToken ? 1 : 0;
  const starts = chunkStarts?.length ? chunkStarts : [bosEnd];
  starts.forEach((start, i) => {
    const least = i === 0 ? 0 : starts[i - 1]! + 1;
    if (!(Number.isInteger(start) && start >= least && start < Math.max(context.length, 1))) {
      throw new RangeError(
        `invalid chunkStarts: ${start} at ${i} (expected ${least}..${context.length - 1})`,
      );
    }
  });
  const prefixEnd = Math.max(starts[0]!, bosEnd);
  const chunks = starts
    .map((start, i) => [Math.max(start, prefixEnd), starts[i + 1] ?? context.length] as const)
    .filter(([start, end]) => end > start);
  return { prefixEnd, chunks };
}

/** Keys and values of a run of tokens, by layer. */
export interface StoredChunk {
  readonly tokens: readonly number[];
  readonly layers: readonly {
    /** Before RoPE, [tokens, kvHeads, headSize]. */
    readonly keys: Float32Array;
    readonly values: Float32Array;
  }[];
}

/** Encodes the chunks of a context apart, each right after the prefix. */
export function encodeChunks(
  model: Transformer,
  context: readonly number[],
  { prefixEnd, chunks }: ChunkPlan,
): { readonly prefix: StoredChunk; readonly stored: readonly StoredChunk[] } {
  const scratch = createRowCache(model.config);
  const prefix = encodeAt(model, scratch, context.slice(0, prefixEnd), 0);
  const stored = chunks.map(([start, end]) => {
    scratch.truncate(prefixEnd);
    return encodeAt(model, scratch, context.slice(start, end), prefixEnd);
  });
  return { prefix, stored };
}

/** Runs tokens over a cache and keeps what they projected. */
export function encodeAt(
  model: Transformer,
  cache: RowCache,
  tokens: readonly number[],
  start: number,
): StoredChunk {
  const layers: { keys: Float32Array; values: Float32Array }[] = [];
  if (tokens.length === 0) {
    const none = () => ({ keys: new Float32Array(0), values: new Float32Array(0) });
    return { tokens, layers: Array.from({ length: model.config.layers }, none) };
  }
  model.forward({
    tokens,
    positions: tokens.map((_, i) => start + i),
    cache,
    logits: 'none',
    hooks: {
      onProjected(_layer, { keys, values }) {
        layers.push({ keys: keys.slice(), values: values.slice() });
      },
    },
  });
  return { tokens, layers };
}

/** Puts a chunk's keys and values at a place of the text; keys are rotated for it. */
export function placeChunk(cache: RowCache, chunk: StoredChunk, start: number): void {
  const positions = Int32Array.from(chunk.tokens, (_, i) => start + i);
  chunk.layers.forEach(({ keys, values }, layer) => {
    cache.append(layer, {
      rows: chunk.tokens.length,
      queries: new Float32Array(0),
      keys,
      values,
      positions,
      tokens: Int32Array.from(chunk.tokens),
    });
  });
}

/** The chunks in their order in one cache, as if each had been read alone. */
export function concatenate(
  model: Transformer,
  cache: RowCache,
  context: readonly number[],
  plan: ChunkPlan,
): void {
  const { prefix, stored } = encodeChunks(model, context, plan);
  placeChunk(cache, prefix, 0);
  stored.forEach((chunk, i) => {
    placeChunk(cache, chunk, plan.chunks[i]![0]);
  });
}
