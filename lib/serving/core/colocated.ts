import type { BatchFormer } from '../policies/policy';
import { type Replica, takeLane } from './replica';
import { leastOutstanding, type Topology } from './topology';

/** Replicas that prefill and decode alike, behind a least-outstanding-requests router. */
export function createColocated(
  replicas: readonly Replica[],
  formers: readonly BatchFormer[],
  name: string,
): Topology {
  return {
    replicas,
    hooks: {
      onPrefilled: () => false,
      onPreempted: (replica, id) => replica.waiting.pushFront(id),
      onCompleted: (replica) => {
        replica.outstanding--;
      },
    },
    admit(id) {
      const replica = leastOutstanding(replicas);
      replica.outstanding++;
      replica.waiting.pushBack(id);
    },
    nextEventSeconds: () => Infinity,
    handleEvents: () => undefined,
    dispatch(engine, now) {
      for (let i = 0; i < replicas.length; i++) {
        const replica = replicas[i] as Replica;
        if (replica.isBusy || replica.waiting.length + replica.runningCount === 0) continue;
        engine.start(replica, formers[i] as BatchFormer, now);
      }
    },
    lanes: () =>
      replicas.map((replica, i) =>
        takeLane(
          replica.log,
          `replica-${i}`,
          `${name} replica ${i}`,
          'mixed',
          replica.blocks.total,
        ),
      ),
  };
}
