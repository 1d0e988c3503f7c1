import { createLink } from '../core/link';
import type { MachineOptions } from '../engine/machine';
import { createPipeline, type Pipeline } from '../engine/pipeline';
import type { RolePlan } from '../engine/roles';
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
  readonly isActive: (replica: Replica) => boolean;
  readonly settle: (now: number) => void;
}

/** What a lane shares with others. */
export interface LaneShares {
  readonly pipeline: Pipeline | undefined;
  /** Blocks of the accelerator. */
  readonly memory?: SharedMemory;
  /** Index of the lane whose cache it has; its own if absent, none where it only decodes. */
  readonly cacheOf?: number;
}

export type MakeReplica = (
  index: number,
  role: Replica['role'],
  plan: RolePlan,
  shares: LaneShares,
) => Replica;

/** The lanes of a role, replica by replica: one without a pipeline, else one per micro-batch in flight. */
function makeLanes(
  plan: RolePlan,
  role: Replica['role'],
  first: number,
  makeReplica: MakeReplica,
): Replica[] {
  const lanes: Replica[] = [];
  for (let i = 0; i < plan.replicas; i++) {
    const pipeline = plan.pipeline && createPipeline(plan.pipeline);
    for (let k = 0; k < (plan.pipeline?.stages ?? 1); k++)
      lanes.push(makeReplica(first + lanes.length, role, plan, { pipeline }));
  }
  return lanes;
}

/** The replicas of a topology, and the batch former of each of them. */
export function makeFleet(
  {
    strategy,
    kvBytesPerToken,
    roles,
  }: Pick<MachineOptions, 'strategy' | 'kvBytesPerToken' | 'roles'>,
  makeReplica: MakeReplica,
  clientIds: Int32Array,
  estimator: Estimator,
  sessionOf: (id: number) => number,
  homes: SessionHomes,
  stealing: Stealing | undefined,
  changing?: ChangingRoles,
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
  if ('mixed' in roles && partition.type !== 'none') {
    const { mixed } = roles;
    const { replicas } = mixed;
    const pairs = Array.from({ length: replicas }, (_, i) => {
      const memory: SharedMemory = { blocksUsed: 0, committedBlocks: 0, holders: 0 };
      return {
        prefill: makeReplica(i, 'prefill', mixed, { pipeline: undefined, memory }),
        decode: makeReplica(replicas + i, 'decode', mixed, {
          pipeline: undefined,
          memory,
          cacheOf: i,
        }),
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
  if ('mixed' in roles) {
    const former = batchFormer(strategy.batchFormer);
    const replicas = makeLanes(roles.mixed, 'mixed', 0, makeReplica);
    return { fleet: colocatedFleet(replicas, placeBy(), name, stealing), former: () => former };
  }
  if (topology.type !== 'pools') throw new Error(`invalid topology: ${topology.type}`);
  const links = Array.from({ length: roles.decode.replicas }, () =>
    createLink(
      kvBytesPerToken * (1 - topology.overlap),
      topology.linkGigabytesPerSecond * 1e9,
      topology.linkLatencyMicroseconds * 1e-6,
    ),
  );
  const prefillFormer = prefillOnly(strategy.batchFormer);
  const prefill = makeLanes(roles.prefill, 'prefill', 0, makeReplica);
  const fleet = poolsFleet({
    prefill,
    decode: makeLanes(roles.decode, 'decode', prefill.length, makeReplica),
    links,
    placePrompt: placeBy(),
    // What these ask about is prompts.
    placeDecode: asksQuestions(strategy.router)
      ? placeBy({ type: 'least-outstanding' })
      : placeBy(),
    name,
    ...(changing === undefined ? {} : { isActive: changing.isActive, settle: changing.settle }),
  });
  return {
    fleet,
    unpulled: fleet.unpulled,
    former: ({ role }) => (role === 'decode' ? DECODE_POOL : prefillFormer),
  };
}
