/** Requests that wait for admission, in the order in which they are looked at. */
export interface WaitingQueue {
  readonly length: number;
  /** The id that is next, or undefined. */
  peek(): number | undefined;
  pop(): void;
  /** A request that has just arrived. */
  push(id: number): void;
  /** A request that was preempted and must be computed again. */
  pushPreempted(id: number): void;
  /** Takes out a request that completed while it waited. */
  remove(id: number): void;
}

/**
 * First come first served: arrivals join the tail, preempted requests the head.
 * By priority: the smallest priority first, then the earliest arrival, whatever was preempted.
 */
export function createWaitingQueue(
  isByPriority: boolean,
  arrivalSeconds: Float64Array,
  priority: Int32Array | undefined,
): WaitingQueue {
  // The head is at the end of the array: both a pop and a preemption are at the cheap end.
  const preempted: number[] = [];
  let arrived: number[] = [];
  let head = 0;
  const isBefore = (a: number, b: number): boolean => {
    const first = priority?.[a] ?? 0;
    const second = priority?.[b] ?? 0;
    if (first !== second) return first < second;
    const earlier = (arrivalSeconds[a] as number) - (arrivalSeconds[b] as number);
    return earlier === 0 ? a < b : earlier < 0;
  };
  function insert(id: number): void {
    let low = head;
    let high = arrived.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(arrived[middle] as number, id)) low = middle + 1;
      else high = middle;
    }
    arrived.splice(low, 0, id);
  }
  return {
    get length() {
      return preempted.length + arrived.length - head;
    },
    peek: () => preempted[preempted.length - 1] ?? arrived[head],
    pop() {
      if (preempted.length > 0) {
        preempted.pop();
        return;
      }
      head++;
      if (head > 1024 && head * 2 > arrived.length) {
        arrived = arrived.slice(head);
        head = 0;
      }
    },
    push(id) {
      if (isByPriority) insert(id);
      else arrived.push(id);
    },
    pushPreempted(id) {
      if (isByPriority) insert(id);
      else preempted.push(id);
    },
    remove(id) {
      const at = preempted.indexOf(id);
      if (at >= 0) {
        preempted.splice(at, 1);
        return;
      }
      const place = arrived.indexOf(id, head);
      if (place >= 0) arrived.splice(place, 1);
    },
  };
}
