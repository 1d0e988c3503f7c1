/**
 * Attention of a prefill and of decodes apart, over the time of both in one launch: what analytic
 * models and tables without mixed batches divide by. The median over the mixed points of
 * LLMServingSim's RTX 4090 tables of Llama 3.1 8B; other profiles have 0.59 to 0.82.
 */
export const MIXED_ATTENTION = {
  partsShare: 0.7,
  source:
    'mixed batches: prefill and decode attention apart are 0.70 of both together (median of LLMServingSim profiles, RTX 4090)',
} as const;

/**
 * What a decode costs beside a prompt in one launch of FlashAttention 2: the kernel of long queries
 * runs, which gives every decode a tile of query rows to itself for every query head, nearly all of
 * it idle. Arithmetic at the rate of prefill attention, least squares over LLMServingSim's RTX 4090
 * tables of Llama 3.1 8B against 176 TFLOP/s (median error of the whole launch 5.8 %; on its RTX PRO
 * 6000 tables of four models and degrees, that rate scaled, 5 to 10 %).
 */
export const DECODE_TILE = {
  /** Query rows whose arithmetic a decode takes. */
  rows: 99,
  /** Of each sequence and query head, in FLOP at the same rate. */
  startFlops: 4.72e6,
  /** Of each tile of 128 rows that the longest prompt makes every sequence launch. */
  launchFlops: 1.13e6,
  launchRows: 128,
  source:
    'mixed batches: a decode beside a prompt takes a tile of 99 query rows (fitted on LLMServingSim tables, RTX 4090)',
} as const;

/**
 * FLOP of the decodes of a mixed batch; `queryHeads` and `headSize` are of one accelerator.
 *
 * @param promptTokens of the longest prompt, or the mean where only sums are known
 */
export function decodeTileFlops(
  decodes: number,
  contextTokens: number,
  promptTokens: number,
  queryHeads: number,
  headSize: number,
): number {
  const tiles = Math.ceil(promptTokens / DECODE_TILE.launchRows);
  const each = DECODE_TILE.startFlops + tiles * DECODE_TILE.launchFlops;
  return queryHeads * (decodes * each + 4 * headSize * DECODE_TILE.rows * contextTokens);
}
