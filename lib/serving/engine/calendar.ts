/** The next end of an iteration among many replicas: a heap of their indices, in place. */
export interface Calendar {
  /** Earliest time; Infinity when nothing is set. */
  nextSeconds(): number;
  /** Who it belongs to, the lowest index among equals; only while `nextSeconds` is finite. */
  nextIndex(): number;
  /** Sets the time of one replica; Infinity takes it off. */
  set(index: number, seconds: number): void;
}

export function createCalendar(count: number): Calendar {
  const seconds = new Float64Array(count).fill(Infinity);
  const heap = Int32Array.from({ length: count }, (_, i) => i);
  const place = Int32Array.from(heap);

  const isBefore = (a: number, b: number): boolean => {
    const [x, y] = [seconds[a] as number, seconds[b] as number];
    return x < y || (x === y && a < b);
  };
  function put(at: number, index: number): void {
    heap[at] = index;
    place[index] = at;
  }

  return {
    nextSeconds: () => (count === 0 ? Infinity : (seconds[heap[0] as number] as number)),
    nextIndex: () => heap[0] as number,
    set(index, value) {
      seconds[index] = value;
      let at = place[index] as number;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        const other = heap[parent] as number;
        if (!isBefore(index, other)) break;
        put(at, other);
        at = parent;
      }
      for (;;) {
        let child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && isBefore(heap[child + 1] as number, heap[child] as number))
          child++;
        const other = heap[child] as number;
        if (!isBefore(other, index)) break;
        put(at, other);
        at = child;
      }
      put(at, index);
    },
  };
}
