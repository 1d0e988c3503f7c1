import type { TimelineLane } from '../types';
import type { Replica } from './replica';
import type { State } from './state';
import { tellQueued } from './tell-tracer';

/** Tells the loop that an idle replica must look again. */
export type Touch = (replica: Replica) => void;

/** Replicas, where requests go, and what happens between replicas. */
export interface Fleet {
  readonly replicas: readonly Replica[];
  /** Gives a request to a replica; false where none takes it now. */
  admit(state: State, id: number, touch: Touch): boolean;
  /** A prefill has emitted a token and is not complete; true when the request leaves the replica. */
  onPrefilled(state: State, replica: Replica, id: number, touch: Touch): boolean;
  /** Where a request waits that must be computed again. */
  onPreempted(state: State, replica: Replica, id: number, touch: Touch): void;
  onCompleted(replica: Replica): void;
  /** An iteration has started, or ended: who else then ends at another time. */
  onStarted?(state: State, replica: Replica, now: number): Replica;
  onEnded?(state: State, replica: Replica, now: number): Replica;
  /** Whether forming iterations has left something for `beforeDispatch` at the same instant. */
  isPending(): boolean;
  /** Earliest event besides sends and ends of iterations. */
  nextEventSeconds(): number;
  /** Handles those events up to `now`. */
  handleEvents(state: State, now: number, touch: Touch): void;
  /** What happens at `now` before replicas form iterations. */
  beforeDispatch(state: State, now: number, touch: Touch): void;
  readonly laneCount: number;
  lanes(): TimelineLane[];
}

/** Index of the replica that gets a request; -1 for none. */
export type Place = (state: State, replicas: readonly Replica[], id: number) => number;

/** Queues a request at a replica, if there is one. */
export function enqueue(
  state: State,
  replica: Replica | undefined,
  id: number,
  touch: Touch,
): boolean {
  if (replica === undefined) return false;
  touch(replica);
  replica.outstanding++;
  replica.outstandingTokens += state.requests.totalTokens[id] as number;
  replica.queue.arrive(id, replica.step);
  countWaiting(state, replica, id);
  tellQueued(state, replica, id);
  return true;
}

/** Takes a request that waits away from its replica. */
export function withdraw(state: State, replica: Replica, id: number): void {
  replica.queue.remove(id);
  replica.outstanding--;
  replica.outstandingTokens -= state.requests.totalTokens[id] as number;
  replica.queuedSeconds -= state.queueCost[id] as number;
  state.waiting--;
  state.replicaOf[id] = -1;
}

/** A preempted request comes back to a queue. */
export function giveBack(state: State, replica: Replica, id: number): void {
  replica.queue.giveBack(id, replica.step);
  countWaiting(state, replica, id);
  tellQueued(state, replica, id);
}

function countWaiting(state: State, replica: Replica, id: number): void {
  state.replicaOf[id] = replica.index;
  const seconds = state.hooks.queueCost(replica, id);
  state.queueCost[id] = seconds;
  replica.queuedSeconds += seconds;
  state.waiting++;
}
