import { takeRunLanes } from '../engine/take-lanes';
import { enqueue, type Fleet, giveBack, type Place } from './fleet';
import type { Replica } from './replica';

/** Replicas that prefill and decode alike, behind a router. */
export function colocatedFleet(replicas: readonly Replica[], place: Place, name: string): Fleet {
  return {
    replicas,
    admit: (state, id, touch) => enqueue(state, replicas[place(state, replicas, id)], id, touch),
    onPrefilled: () => false,
    onPreempted: giveBack,
    onCompleted: () => undefined,
    isPending: () => false,
    nextEventSeconds: () => Infinity,
    handleEvents: () => undefined,
    beforeDispatch: () => undefined,
    laneCount: replicas.length,
    lanes: () => takeRunLanes(replicas, 'replica', `${name} replica`),
  };
}
