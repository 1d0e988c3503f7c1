/** When an engine last copied each head of a cache, for `CopiedSlots`. */
export interface CopyMarks {
  /** @param version changes whenever slots do other than by slots after them */
  mark(head: number, version: number, count: number): number;
  /** @param earlier leading slots that are as they were in earlier versions */
  same(
    head: number,
    mark: number,
    version: number,
    count: number,
    earlier?: readonly { readonly version: number; readonly count: number }[],
  ): number;
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
    same(head, mark, version, count, earlier = []) {
      const at = known[head]!;
      if (at.mark !== mark) return 0;
      if (at.version === version) return Math.min(at.count, count);
      const begun = earlier.find((one) => one.version === at.version);
      return begun === undefined ? 0 : Math.min(at.count, begun.count, count);
    },
    limit(head, count) {
      const at = known[head]!;
      at.count = Math.min(at.count, count);
    },
  };
}
