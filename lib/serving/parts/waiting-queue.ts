import type { PriorityPart } from '../../spec/kinds/serve-parts';
import { createIdQueue, idsOf, removeId } from '../core/id-queue';
import { fairQueue } from './fair-queue';
import type { Priority } from './priority';
import type { RequestView } from './views';

/** How urgent a request is now, whether or not it still waits. */
export interface Urgency {
  /** The smallest goes first; `restSeconds` is what is left to compute, the whole prompt by default. */
  key(id: number, restSeconds?: number): number;
  deadlineSeconds(id: number): number;
}

/** Requests that wait at one replica, in the order of its priority. `step` is its decode step count. */
export interface WaitingQueue {
  readonly length: number;
  /** The one to go first. @throws RangeError when empty */
  peek(step: number): number;
  pop(step: number): number;
  arrive(id: number, step: number): void;
  /** A preempted request comes back. */
  giveBack(id: number, step: number): void;
  /** A request begins, or ends, to decode: service that some orders count; `emitted` tokens are new. */
  readonly onJoin: ((id: number, step: number, emitted: number) => void) | undefined;
  readonly onLeave: ((id: number, step: number) => void) | undefined;
  /** Those that wait, in no order. */
  ids(): readonly number[];
  /** Takes one that waits out of it, wherever it stands. */
  remove(id: number): void;
  /** The key of a request that waits or runs, the smallest first; undefined where it is that of `Priority`. */
  readonly keyOf?: ((id: number, step: number) => number) | undefined;
  /** Where the order is by deadlines that pass. */
  readonly urgency?: Urgency | undefined;
  /** Whether the first one stays first while nothing arrives and nothing leaves. */
  readonly isStable: boolean;
}

export function waitingQueue(
  part: PriorityPart,
  { waitingKey }: Priority,
  requests: RequestView,
): WaitingQueue {
  if (part.type === 'vtc') return fairQueue(part, requests);
  if (waitingKey !== undefined) return keyedQueue(waitingKey);
  const ids = createIdQueue();
  const isLast = part.type === 'lcfs';
  return {
    get length() {
      return ids.length;
    },
    peek: () => ids.at(0),
    pop: () => ids.popFront(),
    arrive: (id) => (isLast ? ids.pushFront(id) : ids.pushBack(id)),
    giveBack: (id) => ids.pushFront(id),
    ids: () => idsOf(ids),
    remove: (id) => removeId(ids, id),
    onJoin: undefined,
    onLeave: undefined,
    isStable: true,
  };
}

/** A binary heap by key, ties by id. */
function keyedQueue(key: (id: number) => number): WaitingQueue {
  const keys: number[] = [];
  const ids: number[] = [];
  const isBefore = (a: number, b: number): boolean => {
    const difference = (keys[a] as number) - (keys[b] as number);
    return difference < 0 || (difference === 0 && (ids[a] as number) < (ids[b] as number));
  };
  const exchange = (a: number, b: number): void => {
    [keys[a], keys[b]] = [keys[b] as number, keys[a] as number];
    [ids[a], ids[b]] = [ids[b] as number, ids[a] as number];
  };
  function push(id: number): void {
    let at = ids.length;
    keys.push(key(id));
    ids.push(id);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(at, parent)) return;
      exchange(at, parent);
      at = parent;
    }
  }
  function pop(): number {
    const first = ids[0];
    if (first === undefined) throw new RangeError('pop from an empty queue');
    exchange(0, ids.length - 1);
    ids.pop();
    keys.pop();
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < ids.length && isBefore(child, least)) least = child;
      }
      if (least === at) return first;
      exchange(at, least);
      at = least;
    }
  }
  return {
    get length() {
      return ids.length;
    },
    peek() {
      const first = ids[0];
      if (first === undefined) throw new RangeError('peek at an empty queue');
      return first;
    },
    pop,
    arrive: push,
    giveBack: push,
    ids: () => ids,
    remove(id) {
      const rest = ids.filter((each) => each !== id);
      ids.length = 0;
      keys.length = 0;
      for (const each of rest) push(each);
    },
    onJoin: undefined,
    onLeave: undefined,
    isStable: true,
  };
}
