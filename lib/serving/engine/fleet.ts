import type { TimelineLane } from '../types';
import type { Instance } from './instance';
import type { RunState } from './run-state';

/** Tells the loop that a replica must look again: a run under way is settled, an idle one forms. */
export type Touch = (instance: Instance) => void;

/** Replicas, where requests go, and what happens between replicas. */
export interface Fleet {
  readonly instances: readonly Instance[];
  /** Replicas form in their order, and not in the order in which something happened to them. */
  readonly formsInOrder?: boolean;
  /** Gives an arriving request to a replica, which is touched before it sees it. */
  admit(state: RunState, id: number, touch: Touch): void;
  /** A prefill has emitted a token and is not complete; true when the request leaves the replica. */
  onPrefilled(state: RunState, instance: Instance, id: number, touch: Touch): boolean;
  /** Where a request waits that must be computed again. */
  onPreempted(state: RunState, instance: Instance, id: number, touch: Touch): void;
  onCompleted(instance: Instance): void;
  /** Whether forming iterations has left something for `beforeDispatch` at the same instant. */
  isPending(): boolean;
  /** Earliest event besides arrivals and ends of iterations. */
  nextEventSeconds(): number;
  /** Handles those events up to `now`. */
  handleEvents(state: RunState, now: number, touch: Touch): void;
  /** What happens at `now` before replicas form iterations. */
  beforeDispatch(state: RunState, now: number, touch: Touch): void;
  lanes(): TimelineLane[];
}
