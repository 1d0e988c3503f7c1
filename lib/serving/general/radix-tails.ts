import type { PromptContent } from '../../workload/types';
import type { CachedBlock } from './cached-block';

/** The token ids of the requests, where they are known one by one. */
export interface TokenIds {
  readonly ids: Int32Array;
  /** Place of token `token` of a request; -1 beyond what is known. */
  startOf(id: number, token: number): number;
  /** Tokens of a request that are known from `token` on. */
  knownTokens(id: number, token: number): number;
}

/** Undefined where an id stands for more than one token: a match cannot end within it. */
export function tokenIdsOf(content: PromptContent | undefined): TokenIds | undefined {
  if (content === undefined || content.tokensPerId !== 1) return undefined;
  const { ids, offsets } = content;
  const knownTokens = (id: number, token: number) =>
    Math.max(0, (offsets[id + 1] as number) - (offsets[id] as number) - token);
  return {
    ids,
    startOf: (id, token) => (knownTokens(id, token) > 0 ? (offsets[id] as number) + token : -1),
    knownTokens,
  };
}

/** The blocks that follow each block of a tree, by their first token: for matches that end within one. */
export interface Tails {
  add(block: CachedBlock): void;
  remove(block: CachedBlock): void;
  /** The block after `parent` with the most tokens in common with block `index` of a request, `most` at most. */
  longest(
    parent: CachedBlock | undefined,
    id: number,
    index: number,
    most: number,
  ): { readonly tokens: number; readonly block: CachedBlock | undefined };
  /** Unfull blocks after `parent` that say nothing which `block` does not say. */
  coveredBy(parent: CachedBlock | undefined, block: CachedBlock): readonly CachedBlock[];
}

type Branches = Map<number, CachedBlock[]>;

export function createTails({ ids, startOf, knownTokens }: TokenIds, blockTokens: number): Tails {
  const root: Branches = new Map();
  const after = new WeakMap<CachedBlock, Branches>();
  const branchesOf = (parent: CachedBlock | undefined) =>
    parent === undefined ? root : after.get(parent);

  /** Tokens that two places have in common, `most` at most. */
  function common(a: number, b: number, most: number): number {
    let count = 0;
    while (count < most && ids[a + count] === ids[b + count]) count++;
    return count;
  }

  return {
    add(block) {
      if (block.idsAt < 0) return;
      const { parent } = block;
      let branches = branchesOf(parent);
      if (branches === undefined) {
        branches = new Map();
        after.set(parent as CachedBlock, branches);
      }
      const first = ids[block.idsAt] as number;
      const same = branches.get(first);
      if (same === undefined) branches.set(first, [block]);
      else same.push(block);
    },
    remove(block) {
      if (block.idsAt < 0) return;
      const branches = branchesOf(block.parent);
      const first = ids[block.idsAt] as number;
      const left = branches?.get(first)?.filter((each) => each !== block) ?? [];
      if (left.length === 0) branches?.delete(first);
      else branches?.set(first, left);
    },
    longest(parent, id, index, most) {
      const token = index * blockTokens;
      const at = startOf(id, token);
      let best: { tokens: number; block: CachedBlock | undefined } = {
        tokens: 0,
        block: undefined,
      };
      if (at < 0 || most <= 0) return best;
      const limit = Math.min(most, knownTokens(id, token));
      for (const block of branchesOf(parent)?.get(ids[at] as number) ?? []) {
        const tokens = common(at, block.idsAt, Math.min(limit, block.tokens));
        if (tokens > best.tokens) best = { tokens, block };
      }
      return best;
    },
    coveredBy(parent, block) {
      if (block.idsAt < 0) return [];
      const same = branchesOf(parent)?.get(ids[block.idsAt] as number) ?? [];
      return same.filter(
        (each) => each.isTail && common(each.idsAt, block.idsAt, each.tokens) === each.tokens,
      );
    },
  };
}
