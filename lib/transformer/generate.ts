import type { AttentionCache, ForwardHooks, ForwardStep, Transformer } from './types';

/** Index of the largest value; the first of equals. */
export function argMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

export interface PrefillOptions {
  /** Rows per call of the model; all at once unless given. */
  readonly chunkTokens?: number;
  readonly hooks?: ForwardHooks;
}

function* prefillSteps(
  cache: AttentionCache,
  tokens: readonly number[],
  start: number,
  { chunkTokens = tokens.length, hooks }: PrefillOptions,
): Generator<ForwardStep> {
  if (!(Number.isInteger(chunkTokens) && chunkTokens > 0)) {
    throw new RangeError(`invalid chunkTokens: ${chunkTokens} (expected a positive integer)`);
  }
  for (let at = 0; at < tokens.length; at += chunkTokens) {
    const chunk = tokens.slice(at, at + chunkTokens);
    const isLast = at + chunkTokens >= tokens.length;
    yield {
      tokens: chunk,
      positions: chunk.map((_, i) => start + at + i),
      cache,
      ...(hooks ? { hooks } : {}),
      logits: isLast ? 'last' : 'none',
    };
  }
}

/**
 * Runs tokens through the model into the cache, in chunks.
 *
 * @param start text position of the first token
 * @returns logits after the last token, [vocabularySize]
 */
export function prefill(
  model: Transformer,
  cache: AttentionCache,
  tokens: readonly number[],
  start: number,
  options: PrefillOptions = {},
): Float32Array {
  let logits: Float32Array = new Float32Array(0);
  for (const step of prefillSteps(cache, tokens, start, options)) {
    ({ logits } = model.forward(step));
  }
  return logits;
}

/** `prefill` by the model's `forwardAsync`, where it has one. */
export async function prefillAsync(
  model: Transformer,
  cache: AttentionCache,
  tokens: readonly number[],
  start: number,
  { signal, ...options }: PrefillOptions & { readonly signal?: AbortSignal } = {},
): Promise<Float32Array> {
  let logits: Float32Array = new Float32Array(0);
  for (const step of prefillSteps(cache, tokens, start, options)) {
    signal?.throwIfAborted();
    ({ logits } = await (model.forwardAsync?.(step) ?? model.forward(step)));
  }
  return logits;
}

/**
 * Greedy decoding: the likeliest token each time, fed back, until `count` tokens or a stop token
 * (which is not returned).
 *
 * @param logits of the token before the first new one
 * @param start text position of the first new token
 */
export function decodeGreedy(
  model: Transformer,
  cache: AttentionCache,
  logits: Float32Array,
  start: number,
  count: number,
  stop: ReadonlySet<number>,
): number[] {
  const out: number[] = [];
  let last = logits;
  for (;;) {
    const token = argMax(last);
    if (stop.has(token)) return out;
    out.push(token);
    if (out.length === count) return out;
    last = model.forward({ tokens: [token], positions: [start + out.length - 1], cache }).logits;
  }
}
