import { takeRunLane } from '../engine/run-log';
import { enqueue, type Fleet, type Place } from './fleet';
import type { Replica } from './replica';

/** Replicas that prefill and decode alike, behind a router. */
export function colocatedFleet(replicas: readonly Replica[], place: Place, name: string): Fleet {
  return {
    replicas,
    admit(state, id, touch) {
      enqueue(state, replicas[place(state, replicas, id)] as Replica, id, touch);
    },
    onPrefilled: () => false,
    onPreempted(state, replica, id) {
      replica.queue.giveBack(id, replica.step);
      state.waiting++;
    },
    onCompleted: () => undefined,
    isPending: () => false,
    nextEventSeconds: () => Infinity,
    handleEvents: () => undefined,
    beforeDispatch: () => undefined,
    lanes: () =>
      replicas.map(({ log, blocksTotal }, i) =>
        takeRunLane(log, `replica-${i}`, `${name} replica ${i}`, 'mixed', blocksTotal),
      ),
  };
}
