import type { ChunkerPart } from '../../spec/kinds/serve-parts';

/**
 * Tokens of one prompt for this iteration; 0 leaves it out.
 *
 * @param left tokens of the prompt not yet processed
 * @param budget tokens that the iteration may still have; below 0 where decodes exceed it
 */
export type Chunker = (left: number, budget: number) => number;

/** Groups of layers for a set of so many prompt tokens (layered prefill, its table for 16 stages). */
export function layerGroups(tokens: number): number {
  if (tokens <= 512) return 1;
  if (tokens <= 1024) return 2;
  if (tokens <= 2048) return 4;
  return tokens <= 4096 ? 8 : 16;
}

export function chunker(part: ChunkerPart): Chunker {
  switch (part.type) {
    case 'whole':
      return (left, budget) => (left <= budget ? left : 0);
    case 'budget':
      return (left, budget) => Math.max(0, Math.min(left, budget));
    case 'fixed': {
      const { chunkTokens } = part;
      return (left, budget) => Math.max(0, Math.min(left, budget, chunkTokens));
    }
    case 'layer-group': {
      const { maxTokens } = part;
      // Only a prompt longer than a whole set is divided.
      return (left, budget) => (left <= budget ? left : budget >= maxTokens ? maxTokens : 0);
    }
  }
}
