import type { KvAllocPart } from '../../spec/kinds/serve-parts';
import { blocksOf } from './views';

/** The memory ledger of one request. */
export interface KvAlloc {
  /** Blocks on entry, for a prefill of so many tokens. */
  readonly entryBlocks: (prefillTokens: number) => number;
  /** Blocks held once the KV of so many tokens exists. */
  readonly heldBlocks: (kvTokens: number) => number;
  /** Whether decoding takes more. */
  readonly grows: boolean;
  /** Tokens that a request may have at most. */
  readonly mostTokens: number;
}

export function kvAlloc(part: KvAllocPart, blockTokens: number): KvAlloc {
  if (part.type !== 'contiguous-max') {
    const blocks = (tokens: number) => blocksOf(tokens, blockTokens);
    return { entryBlocks: blocks, heldBlocks: blocks, grows: true, mostTokens: Infinity };
  }
  const all = blocksOf(part.maxTokens, blockTokens);
  return {
    entryBlocks: () => all,
    heldBlocks: () => all,
    grows: false,
    mostTokens: part.maxTokens,
  };
}
