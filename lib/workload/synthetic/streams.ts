/**
 * A sequence of tokens as a prefix cache sees it: ids of its whole blocks. Equal ids mean the same
 * tokens from the beginning on.
 */
export interface TokenStream {
  readonly tokens: number;
  readonly blocks: readonly number[];
}

export const EMPTY_STREAM: TokenStream = { tokens: 0, blocks: [] };

/** Names blocks with numbers that no other block has. */
export interface BlockNames {
  /** The stream with tokens after it that nobody else has said. */
  extend(stream: TokenStream, tokens: number): TokenStream;
  /**
   * The stream with a piece after it that others may append too: equal streams with equal pieces
   * give equal ids.
   *
   * @param piece 0..2^20-1, which text it is; texts of one number are as long as each other
   */
  append(stream: TokenStream, piece: number, tokens: number): TokenStream;
}

const PIECES = 2 ** 20;

/** @param blockTokens tokens that an id stands for */
export function createBlockNames(blockTokens: number): BlockNames {
  let next = 0;
  const shared = new Map<number, number>();
  function grow(
    { tokens, blocks }: TokenStream,
    more: number,
    nameOf: (parent: number) => number,
  ): TokenStream {
    const total = tokens + more;
    const names = blocks.slice();
    for (let i = blocks.length; i < Math.floor(total / blockTokens); i++)
      names.push(nameOf(names[i - 1] ?? -1));
    return { tokens: total, blocks: names };
  }
  return {
    extend: (stream, tokens) => grow(stream, tokens, () => next++),
    // What is in a block that ends in a piece follows from the block before it and the piece.
    append: (stream, piece, tokens) =>
      grow(stream, tokens, (parent) => {
        const key = (parent + 1) * PIECES + piece;
        const known = shared.get(key);
        if (known !== undefined) return known;
        shared.set(key, next);
        return next++;
      }),
  };
}
