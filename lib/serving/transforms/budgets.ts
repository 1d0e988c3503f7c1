import type { TransformVector } from '../../spec/kinds/serve-transform';

/** Share of `tokens` that heads with a budget and full heads have together; 1 without a budget. */
function shareOf(budget: number, fullHeads: number, tokens: number): number {
  if (budget === 0 || tokens <= budget) return 1;
  return fullHeads + (1 - fullHeads) * (budget / tokens);
}

/** KV bytes stored per token over those of the model in 16 bits, for requests of `planTokens`. */
export function kvShare(vector: TransformVector, tokens = vector.planTokens): number {
  return vector.kvBytes * shareOf(vector.kvBudgetTokens, vector.fullHeads, tokens);
}

/** KV bytes that a decode of a context of `tokens` reads, over the dense model's: A_d and its index. */
export function decodeReadShare(vector: TransformVector, tokens: number): number {
  const read = shareOf(vector.decodeBudgetTokens, vector.fullHeads, tokens);
  return vector.decodeKvBytes * read + vector.decodeIndex;
}

/** Share of the decode's arithmetic: that of the tokens within the budget, whatever bytes they take. */
export function decodePairShare(vector: TransformVector, tokens: number): number {
  return shareOf(vector.decodeBudgetTokens, vector.fullHeads, tokens);
}

/** Query-key pairs of a prompt whose queries look at `keys` on average, over the dense model's. */
export function prefillPairShare(vector: TransformVector, keys: number): number {
  const kept = shareOf(vector.prefillBudgetTokens, vector.fullHeads, keys);
  return vector.prefillAttention * kept + (kept < 1 ? vector.prefillIndex : 0);
}
