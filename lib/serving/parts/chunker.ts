import type { ChunkerPart } from '../../spec/kinds/serve-parts';

/**
 * Tokens of one prompt for this iteration; 0 leaves it out.
 *
 * @param left tokens of the prompt not yet processed
 * @param budget tokens that the iteration may still have; below 0 where decodes exceed it
 */
export type Chunker = (left: number, budget: number) => number;

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
  }
}
