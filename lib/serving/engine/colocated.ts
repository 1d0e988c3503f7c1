import type { Router } from '../parts/router';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import { takeRunLanes } from './take-lanes';
import { tellQueued } from './tell-tracer';

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
      state.waiting++;
      tellQueued(state, instance, id);
    },
    onPrefilled: () => false,
    onPreempted(state, instance, id) {
      instance.queue.giveBack(id, instance.step);
      state.waiting++;
      tellQueued(state, instance, id);
    },
    onCompleted: () => undefined,
    isPending: () => false,
    nextEventSeconds: () => Infinity,
    handleEvents: () => undefined,
    beforeDispatch: () => undefined,
    lanes: () => takeRunLanes(instances, 'replica', `${name} replica`),
  };
}
