import type { BlockView } from '../parts/eviction';

/** A block of KV that can be found again by its content. */
export interface CachedBlock extends BlockView {
  /** The block before it in its sequence. */
  readonly parent: CachedBlock | undefined;
  /** Requests that hold it. */
  references: number;
  /** Blocks of the tree that follow it. */
  children: number;
  uses: number;
  createdOrder: number;
  releasedOrder: number;
  tokens: number;
  owner: number;
  /** Place of its first token among the workload's ids; -1 where the tokens are not known. */
  idsAt: number;
  /** The only request that can find it; -1 where others may. */
  ownerId: number;
  /** A last block that is not full: part of a radix tree, never held, only copied. */
  isTail: boolean;
  /** Its entry among the victims; those of other numbers are out of date. */
  victimStamp: number;
}

export function coldBlock(
  content: number,
  parent: CachedBlock | undefined,
  startTokens: number,
  tokens: number,
): CachedBlock {
  return {
    content,
    parent,
    startTokens,
    tokens,
    references: 0,
    children: 0,
    uses: 1,
    createdOrder: 0,
    releasedOrder: 0,
    owner: -1,
    idsAt: -1,
    ownerId: -1,
    isTail: false,
    victimStamp: 0,
  };
}
