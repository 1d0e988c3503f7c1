/** When an engine last copied each head of a cache, for `CopiedSlots`. */
export interface CopyMarks {
  /** @param version changes whenever slots do other than by slots after them */
  mark(head: number, version: number, count: number): number;
  same(head: number, mark: number, version: number, count: number): number;
  /** Slots from `count` on are gone, and others may come in their place. */
  limit(head: number, count: number): void;
}

/** @param heads of all layers */
export function createCopyMarks(heads: number): CopyMarks {
  const known = Array.from({ length: heads }, () => ({ mark: 0, version: -1, count: 0 }));
  let last = 0;
  return {
    mark(head, version, count) {
      known[head] = { mark: ++last, version, count };
      return last;
    },
    same(head, mark, version, count) {
      const at = known[head]!;
      return at.mark === mark && at.version === version ? Math.min(at.count, count) : 0;
    },
    limit(head, count) {
      const at = known[head]!;
      at.count = Math.min(at.count, count);
    },
  };
}
