/**
 * Largest batch that vLLM records as a CUDA graph by default: min(2 x max_num_seqs, 512), and never
 * above the token budget (vLLM 0.11 and later, `max_cudagraph_capture_size`).
 */
export function largestGraphTokens(maxSequences: number, maxBatchedTokens: number): number {
  return Math.min(2 * maxSequences, 512, maxBatchedTokens);
}

/**
 * Tokens that a batch of `tokens` runs as. vLLM records graphs of 1, 2, 4, every multiple of 8
 * below 256 and of 16 from there; a batch runs as the next recorded size, and as it is above the
 * largest.
 */
export function paddedTokens(tokens: number, largest: number): number {
  if (tokens > largest || tokens <= 2) return tokens;
  if (tokens <= 4) return Math.min(4, largest);
  const step = tokens <= 248 ? 8 : 16;
  return Math.min(Math.ceil(tokens / step) * step, Math.max(tokens, largest));
}
