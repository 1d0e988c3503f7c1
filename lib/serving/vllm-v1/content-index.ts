/** Stands for no block. */
export const NO_BLOCK = -1;

/** The block of each content, or `NO_BLOCK`. */
export interface ContentIndex {
  get(content: number): number;
  set(content: number, block: number): void;
}

/**
 * Contents that requests may share are numbered from 0 without gaps and stand in a column; a
 * request's own are negative, seldom named, and stand in a map.
 */
export function createContentIndex(): ContentIndex {
  let shared = new Int32Array(0);
  const own = new Map<number, number>();

  function growTo(content: number): void {
    const larger = new Int32Array(Math.max(1024, 2 * shared.length, content + 1)).fill(NO_BLOCK);
    larger.set(shared);
    shared = larger;
  }

  return {
    get(content) {
      if (content < 0) return own.get(content) ?? NO_BLOCK;
      return content < shared.length ? (shared[content] as number) : NO_BLOCK;
    },
    set(content, block) {
      if (content >= 0) {
        if (content >= shared.length) growTo(content);
        shared[content] = block;
      } else if (block === NO_BLOCK) own.delete(content);
      else own.set(content, block);
    },
  };
}
