import { takeRunLanes } from '../engine/take-lanes';
import { enqueue, type Fleet, giveBack, type Place } from './fleet';
import type { Replica } from './replica';
import type { Stealing } from './stealing';

/** Replicas that prefill and decode alike, behind a router. */
export function colocatedFleet(
  replicas: readonly Replica[],
  place: Place,
  name: string,
  stealing?: Stealing,
): Fleet {
  return {
    replicas,
    admit: (state, id, touch) => enqueue(state, replicas[place(state, replicas, id)], id, touch),
    onPrefilled: () => false,
    onPreempted: giveBack,
    onCompleted: () => undefined,
    isPending: () => false,
    nextEventSeconds: () => Infinity,
    handleEvents: () => undefined,
    beforeDispatch: (state, _, touch) => stealing?.steal(state, replicas, touch),
    laneCount: replicas.length,
    lanes: () => takeRunLanes(replicas, 'replica', `${name} replica`),
  };
}
