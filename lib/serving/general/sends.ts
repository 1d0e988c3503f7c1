import type { Workload } from '../../workload/types';

/** When requests are sent: at their arrival, or a gap after their predecessors. */
export interface Sends {
  /** Earliest request that is due; Infinity while none is known. */
  nextSeconds(): number;
  /** Takes the earliest one. */
  take(): number;
  /** A request has ended, and what waits for it comes closer. */
  onEnded(id: number, nowSeconds: number): void;
  /** Those that come of a request, however far, which a refusal takes with it. */
  descendants(id: number): readonly number[];
  /** Whether another request of the same program waits for this one. */
  hasSuccessors(id: number): boolean;
}

/** Requests that come on their own, in order of arrival. */
export function plainSends(arrivalSeconds: Float64Array): Sends {
  let next = 0;
  return {
    nextSeconds: () => (next < arrivalSeconds.length ? (arrivalSeconds[next] as number) : Infinity),
    take: () => next++,
    onEnded: () => undefined,
    descendants: () => [],
    hasSuccessors: () => false,
  };
}

/**
 * Requests of programs: one without predecessors is sent at its arrival, any other one `gapSeconds`
 * after the last of its predecessors has ended. `arrivalSeconds` is overwritten with the times.
 */
export function programSends(
  programs: NonNullable<Workload['programs']>,
  arrivalSeconds: Float64Array,
): Sends {
  const { offsets, predecessors, gapSeconds } = programs;
  const count = arrivalSeconds.length;
  const missing = new Int32Array(count);
  const successors: number[][] = Array.from({ length: count }, () => []);
  const due = createDueHeap();
  for (let id = 0; id < count; id++) {
    const from = offsets[id] as number;
    const to = offsets[id + 1] as number;
    missing[id] = to - from;
    for (let i = from; i < to; i++) {
      const before = predecessors[i] as number;
      if (!(before >= 0 && before < id))
        throw new RangeError(
          `invalid predecessors: ${before} of request ${id} (expected below it)`,
        );
      (successors[before] as number[]).push(id);
    }
    if (from === to) due.push(arrivalSeconds[id] as number, id);
    else arrivalSeconds[id] = Number.NaN;
  }
  return {
    nextSeconds: () => due.firstSeconds(),
    take: () => due.pop(),
    onEnded(id, now) {
      for (const next of successors[id] as number[]) {
        missing[next] = (missing[next] as number) - 1;
        if (missing[next] !== 0) continue;
        arrivalSeconds[next] = now + (gapSeconds[next] as number);
        due.push(arrivalSeconds[next] as number, next);
      }
    },
    descendants(id) {
      const found = new Set<number>();
      const open = [id];
      for (let each = open.pop(); each !== undefined; each = open.pop()) {
        for (const next of successors[each] as number[]) {
          if (found.has(next)) continue;
          found.add(next);
          open.push(next);
        }
      }
      return [...found];
    },
    hasSuccessors: (id) => (successors[id] as number[]).length > 0,
  };
}

/** A binary heap by time, ties by id. */
export function createDueHeap() {
  const seconds: number[] = [];
  const ids: number[] = [];
  const isBefore = (a: number, b: number): boolean => {
    const [x, y] = [seconds[a] as number, seconds[b] as number];
    return x < y || (x === y && (ids[a] as number) < (ids[b] as number));
  };
  const exchange = (a: number, b: number): void => {
    [seconds[a], seconds[b]] = [seconds[b] as number, seconds[a] as number];
    [ids[a], ids[b]] = [ids[b] as number, ids[a] as number];
  };
  return {
    get length() {
      return ids.length;
    },
    firstSeconds: () => seconds[0] ?? Infinity,
    push(time: number, id: number): void {
      let at = ids.length;
      seconds.push(time);
      ids.push(id);
      while (at > 0 && isBefore(at, (at - 1) >> 1)) {
        exchange(at, (at - 1) >> 1);
        at = (at - 1) >> 1;
      }
    },
    /** @throws RangeError when empty */
    pop(): number {
      const first = ids[0];
      if (first === undefined) throw new RangeError('pop from an empty heap');
      exchange(0, ids.length - 1);
      ids.pop();
      seconds.pop();
      for (let at = 0; ; ) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2]) {
          if (child < ids.length && isBefore(child, least)) least = child;
        }
        if (least === at) return first;
        exchange(at, least);
        at = least;
      }
    },
  };
}
