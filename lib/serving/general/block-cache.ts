/** What a cache has of a request. */
export interface Hit {
  /** Tokens that need not be computed. */
  readonly tokens: number;
  /** Blocks of the cache that the request would share, and those of them that somebody holds now. */
  readonly blocks: number;
  readonly heldBlocks: number;
}

/**
 * Finished requests' KV that stays on a replica until its place is needed. Blocks are either used
 * (somebody holds them; the replica counts these), cached (nobody does, the content is kept) or free.
 */
export interface BlockCache {
  /** Blocks that nobody holds and that keep their content. */
  readonly cachedBlocks: number;
  /** What it has of a request that is about to enter. */
  lookup(id: number): Hit;
  /** Holds those blocks for the request. `wokenBlocks` of them were cached until now. */
  acquire(id: number): Hit & { readonly wokenBlocks: number };
  /**
   * The request's first `kvTokens` tokens have KV: full blocks among them can be found from now on.
   * Of `duplicates` the cache had the same content, and those are held instead; `wokenBlocks` of them
   * were cached until now.
   */
  name(id: number, kvTokens: number): { readonly duplicates: number; readonly wokenBlocks: number };
  /** Lets go of the request's shared blocks; `sleepingBlocks` of them are cached from now on. */
  release(id: number): { readonly sharedBlocks: number; readonly sleepingBlocks: number };
  /** Evicts until no more than so many blocks are cached. */
  shrinkTo(blocks: number): void;
}
