/** Numbers for links of chains: equal numbers mean equal ids from the first link on. */
export interface Chain {
  /** The number of the link `ids[start, start + length)` behind link `parent` (-1 for none). */
  linkAt(parent: number, start: number): number;
}

/**
 * Interns chained links by a 53-bit hash, and compares the ids themselves on every hit, so that two
 * links never share a number by collision.
 *
 * @param length ids of a link
 */
export function createChain(ids: Int32Array, length: number): Chain {
  const byHash = new Map<number, number>();
  const parents: number[] = [];
  const starts: number[] = [];

  function isSame(link: number, parent: number, start: number): boolean {
    if (parents[link] !== parent) return false;
    const from = starts[link] as number;
    for (let i = 0; i < length; i++) if (ids[from + i] !== ids[start + i]) return false;
    return true;
  }

  return {
    linkAt(parent, start) {
      let low = Math.imul(parent ^ 0x9e3779b9, 0x85ebca6b);
      let high = Math.imul(parent + 0x165667b1, 0xc2b2ae35);
      for (let i = 0; i < length; i++) {
        const id = ids[start + i] as number;
        low = Math.imul(low ^ id, 0x01000193) ^ (low >>> 15);
        high = Math.imul(high + id, 0x9e3779b1) ^ (high >>> 13);
      }
      for (let key = (low >>> 0) * 2 ** 21 + (high >>> 11); ; key++) {
        const link = byHash.get(key);
        if (link === undefined) {
          const fresh = parents.length;
          byHash.set(key, fresh);
          parents.push(parent);
          starts.push(start);
          return fresh;
        }
        if (isSame(link, parent, start)) return link;
      }
    },
  };
}
