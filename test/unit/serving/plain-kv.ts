/** KV blocks once more, one object each and every list searched from its beginning: to be compared with. */
interface PlainBlock {
  users: number;
  content: string | undefined;
}

export interface PlainKv {
  readonly freeCount: number;
  /** Tokens of the cached prefix. */
  find(id: number, known: number): number;
  /** Takes what `find` has found and blocks for all `tokens`; false, and nothing done, where that is too much. */
  admit(id: number, known: number, tokens: number, reserve: number): boolean;
  extend(id: number, tokens: number): boolean;
  /** Names the full blocks of the first `tokens` tokens; those of unknown tokens only if `isAll`. */
  name(id: number, tokens: number, isAll: boolean): void;
  free(id: number): void;
}

/** @param texts token ids of each request, as far as they are known */
export function createPlainKv(
  total: number,
  blockTokens: number,
  texts: readonly (readonly number[])[],
): PlainKv {
  let free: PlainBlock[] = Array.from({ length: total }, () => ({ users: 0, content: undefined }));
  /** In the order of naming. */
  const named: PlainBlock[] = [];
  const held: PlainBlock[][] = texts.map(() => []);
  const blocks = (id: number): PlainBlock[] => held[id] as PlainBlock[];
  const full = texts.map((text) =>
    Array.from({ length: Math.floor(text.length / blockTokens) }, (_, index) =>
      text.slice(0, (index + 1) * blockTokens).join(','),
    ),
  );
  const contentOf = (id: number, index: number): string =>
    full[id]?.[index] ?? `own ${id} ${index}`;
  const search = (id: number, known: number): PlainBlock[] => {
    const hits: PlainBlock[] = [];
    for (let i = 0; (i + 1) * blockTokens <= known - 1; i++) {
      const block = named.find(({ content }) => content === contentOf(id, i));
      if (block === undefined) break;
      hits.push(block);
    }
    return hits;
  };
  const take = (): PlainBlock => {
    const block = free.shift() as PlainBlock;
    if (block.content !== undefined) named.splice(named.indexOf(block), 1);
    block.content = undefined;
    block.users = 1;
    return block;
  };
  const needed = (tokens: number): number => Math.ceil(tokens / blockTokens);
  return {
    get freeCount() {
      return free.length;
    },
    find: (id, known) => search(id, known).length * blockTokens,
    admit(id, known, tokens, reserve) {
      const hits = search(id, known);
      const more = Math.max(needed(tokens), needed(reserve), hits.length) - hits.length;
      if (more + hits.filter(({ users }) => users === 0).length > free.length) return false;
      for (const block of hits) {
        free = free.filter((each) => each !== block);
        block.users++;
        blocks(id).push(block);
      }
      while (blocks(id).length < needed(tokens)) blocks(id).push(take());
      return true;
    },
    extend(id, tokens) {
      if (needed(tokens) - blocks(id).length > free.length) return false;
      while (blocks(id).length < needed(tokens)) blocks(id).push(take());
      return true;
    },
    name(id, tokens, isAll) {
      blocks(id).forEach((block, i) => {
        const isKnown = (i + 1) * blockTokens <= (texts[id] ?? []).length;
        if (block.content !== undefined || (i + 1) * blockTokens > tokens || !(isKnown || isAll))
          return;
        block.content = contentOf(id, i);
        named.push(block);
      });
    },
    free(id) {
      for (const block of blocks(id).reverse()) {
        block.users--;
        if (block.users === 0) free.push(block);
      }
      held[id] = [];
    },
  };
}
