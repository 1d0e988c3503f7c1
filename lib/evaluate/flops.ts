import type { TransformerConfig } from '../transformer/types';

/**
 * Operations of one token in one layer's matrices, 2 per weight. Attention itself, which grows with
 * the tokens that are seen, is left out.
 */
export function flopsPerTokenLayer({
  hiddenSize,
  intermediateSize,
  heads,
  kvHeads,
  headSize,
}: TransformerConfig): number {
  const attention = 2 * hiddenSize * headSize * (heads + kvHeads);
  return 2 * (attention + 3 * hiddenSize * intermediateSize);
}
