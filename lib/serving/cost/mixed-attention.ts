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
