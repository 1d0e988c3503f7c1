import type { Router } from '../parts/router';
import type { TimelineLane } from '../types';
import type { Instance } from './instance';
import { takeRunLane } from './run-log';
import type { RunState } from './run-state';

/** Where requests go, and what happens between replicas. */
export interface Fleet {
  readonly instances: readonly Instance[];
  /** Gives an arriving request to a replica, which is touched before it sees it. */
  admit(state: RunState, id: number, touch: (instance: Instance) => void): void;
  /** Requests waiting anywhere. */
  waiting(): number;
  /** Earliest event besides arrivals and ends of iterations. */
  nextEventSeconds(): number;
  /** Handles those events up to `now`; returns through `touch` the replicas that must look again. */
  handleEvents(state: RunState, now: number, touch: (instance: Instance) => void): void;
  /** Before replicas form iterations at `now`. */
  beforeDispatch(state: RunState, now: number, touch: (instance: Instance) => void): void;
  lanes(): TimelineLane[];
}

/** Replicas that prefill and decode alike, behind a router. */
export function colocatedFleet(
  instances: readonly Instance[],
  route: Router,
  clientIds: Int32Array,
  name: string,
): Fleet {
  return {
    instances,
    admit(state, id, touch) {
      const instance = instances[route(instances, clientIds[id] as number)] as Instance;
      touch(instance);
      instance.outstanding++;
      instance.outstandingTokens += state.requests.totalTokens[id] as number;
      instance.queue.arrive(id, instance.step);
    },
    waiting() {
      let sum = 0;
      for (let i = 0; i < instances.length; i++) sum += (instances[i] as Instance).queue.length;
      return sum;
    },
    nextEventSeconds: () => Infinity,
    handleEvents: () => undefined,
    beforeDispatch: () => undefined,
    lanes: () =>
      instances.map(({ log, blocksTotal }, i) =>
        takeRunLane(log, `replica-${i}`, `${name} replica ${i}`, 'mixed', blocksTotal),
      ),
  };
}
