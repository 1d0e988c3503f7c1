/** Numbers for links of chains: equal numbers mean equal ids from the first link on. */
export interface Chain {
  /** The number of the link `ids[start, start + length)` behind link `parent` (-1 for none). */
  linkAt(parent: number, start: number): number;
}

/**
 * Interns chained links by a hash, and compares the ids themselves on every hit, so that two links
 * never share a number by collision. Numbers are given from 0 on, without gaps.
 *
 * @param length ids of a link
 */
export function createChain(ids: Int32Array, length: number): Chain {
  // Open addressing: a link + 1, or 0 for an empty place; at most half of the places are taken.
  let places = new Int32Array(1024);
  let parents = new Int32Array(512);
  let starts = new Int32Array(512);
  let hashes = new Int32Array(512);
  let count = 0;

  function isSame(link: number, parent: number, start: number): boolean {
    if (parents[link] !== parent) return false;
    const from = starts[link] as number;
    for (let i = 0; i < length; i++) if (ids[from + i] !== ids[start + i]) return false;
    return true;
  }

  function hashOf(parent: number, start: number): number {
    let hash = Math.imul(parent ^ 0x9e3779b9, 0x85ebca6b);
    for (let i = 0; i < length; i++) {
      hash = Math.imul(hash ^ (ids[start + i] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }

  function grow(): void {
    const larger = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const copy = new Int32Array(count * 2);
      copy.set(column);
      return copy;
    };
    parents = larger(parents);
    starts = larger(starts);
    hashes = larger(hashes);
    places = new Int32Array(count * 4);
    for (let link = 0; link < count; link++) {
      let at = (hashes[link] as number) & (places.length - 1);
      while (places[at] !== 0) at = (at + 1) & (places.length - 1);
      places[at] = link + 1;
    }
  }

  return {
    linkAt(parent, start) {
      const hash = hashOf(parent, start);
      const mask = places.length - 1;
      let at = hash & mask;
      for (; places[at] !== 0; at = (at + 1) & mask) {
        const link = (places[at] as number) - 1;
        if (hashes[link] === hash && isSame(link, parent, start)) return link;
      }
      places[at] = count + 1;
      parents[count] = parent;
      starts[count] = start;
      hashes[count] = hash;
      if (++count === parents.length) grow();
      return count - 1;
    },
  };
}
