import { createLink } from '../core/link';
import type { MachineOptions } from '../engine/machine';
import { type BatchFormer, batchFormer, DECODE_POOL, prefillOnly } from '../parts/batch-former';
import { curvesOf, splitController } from '../parts/partition';
import { asksQuestions, router, type SessionHomes } from '../parts/router';
import { coResidentFleet } from './co-resident';
import { colocatedFleet } from './colocated';
import type { Estimator } from './estimator';
import type { Fleet, Place } from './fleet';
import { poolsFleet } from './pools';
import type { Replica, SharedMemory } from './replica';
import { questionOf } from './route-question';
import type { Stealing } from './stealing';

/** Pools whose replicas come and go: as many as there are accelerators, of which some are active. */
export interface ChangingRoles {
  readonly most: number;
  readonly isActive: (replica: Replica) => boolean;
  readonly settle: (now: number) => void;
}

/** The replicas of a topology, and the batch former of each of them. */
export function makeFleet(
  { strategy, kvBytesPerToken }: Pick<MachineOptions, 'strategy' | 'kvBytesPerToken'>,
  makeReplica: (index: number, role: Replica['role'], memory?: SharedMemory) => Replica,
  clientIds: Int32Array,
  estimator: Estimator,
  sessionOf: (id: number) => number,
  homes: SessionHomes,
  stealing: Stealing | undefined,
  roles?: ChangingRoles,
): {
  readonly fleet: Fleet;
  readonly former: (replica: Replica) => BatchFormer;
  readonly unpulled?: () => readonly number[];
} {
  const { topology, name, partition } = strategy;
  const placeBy = (part = strategy.router): Place => {
    const route = router(part, homes);
    if (!asksQuestions(part)) return (_, replicas, id) => route(replicas, clientIds[id] as number);
    return (state, replicas, id) =>
      route(
        replicas,
        clientIds[id] as number,
        questionOf(state, replicas, id, estimator, sessionOf(id)),
      );
  };
  if (topology.type === 'colocated' && partition.type !== 'none') {
    const { replicas } = topology;
    const pairs = Array.from({ length: replicas }, (_, i) => {
      const memory: SharedMemory = { blocksUsed: 0, committedBlocks: 0, holders: 0 };
      return {
        prefill: makeReplica(i, 'prefill', memory),
        decode: makeReplica(replicas + i, 'decode', memory),
        controller: splitController(partition),
        curves: curvesOf(partition),
      };
    });
    const prompts = prefillOnly(strategy.batchFormer);
    return {
      fleet: coResidentFleet(pairs, placeBy(), name),
      former: ({ role }) => (role === 'decode' ? DECODE_POOL : prompts),
    };
  }
  if (topology.type === 'colocated') {
    const former = batchFormer(strategy.batchFormer);
    const replicas = Array.from({ length: topology.replicas }, (_, i) => makeReplica(i, 'mixed'));
    return { fleet: colocatedFleet(replicas, placeBy(), name, stealing), former: () => former };
  }
  const prefillReplicas = roles?.most ?? topology.prefillReplicas;
  const decodeReplicas = roles?.most ?? topology.decodeReplicas;
  const links = Array.from({ length: decodeReplicas }, () =>
    createLink(
      kvBytesPerToken * (1 - topology.overlap),
      topology.linkGigabytesPerSecond * 1e9,
      topology.linkLatencyMicroseconds * 1e-6,
    ),
  );
  const prefillFormer = prefillOnly(strategy.batchFormer);
  const fleet = poolsFleet({
    prefill: Array.from({ length: prefillReplicas }, (_, i) => makeReplica(i, 'prefill')),
    decode: Array.from({ length: decodeReplicas }, (_, i) =>
      makeReplica(prefillReplicas + i, 'decode'),
    ),
    links,
    placePrompt: placeBy(),
    // What these ask about is prompts.
    placeDecode: asksQuestions(strategy.router)
      ? placeBy({ type: 'least-outstanding' })
      : placeBy(),
    name,
    ...(roles === undefined ? {} : { isActive: roles.isActive, settle: roles.settle }),
  });
  return {
    fleet,
    unpulled: fleet.unpulled,
    former: ({ role }) => (role === 'decode' ? DECODE_POOL : prefillFormer),
  };
}
