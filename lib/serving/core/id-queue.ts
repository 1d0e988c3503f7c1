/** A double-ended queue of request ids in a ring buffer. */
export interface IdQueue {
  readonly length: number;
  /** The id at `index` from the front. */
  at(index: number): number;
  pushBack(id: number): void;
  pushFront(id: number): void;
  popFront(): number;
}

export function createIdQueue(): IdQueue {
  let ring = new Int32Array(64);
  let head = 0;
  let length = 0;

  function grow(): void {
    if (length < ring.length) return;
    const larger = new Int32Array(ring.length * 2);
    for (let i = 0; i < length; i++) larger[i] = ring[(head + i) & (ring.length - 1)] as number;
    ring = larger;
    head = 0;
  }

  return {
    get length() {
      return length;
    },
    at: (index) => ring[(head + index) & (ring.length - 1)] as number,
    pushBack(id) {
      grow();
      ring[(head + length++) & (ring.length - 1)] = id;
    },
    pushFront(id) {
      grow();
      head = (head - 1) & (ring.length - 1);
      ring[head] = id;
      length++;
    },
    popFront() {
      if (length === 0) throw new RangeError('pop from an empty queue');
      const id = ring[head] as number;
      head = (head + 1) & (ring.length - 1);
      length--;
      return id;
    },
  };
}

/** The ids of a queue, from the front. */
export const idsOf = (queue: IdQueue): readonly number[] =>
  Array.from({ length: queue.length }, (_, i) => queue.at(i));

/** Takes an id out of a queue, wherever it stands; the others keep their order. */
export function removeId(queue: IdQueue, id: number): void {
  for (let left = queue.length; left > 0; left--) {
    const first = queue.popFront();
    if (first !== id) queue.pushBack(first);
  }
}
