import { createLink } from '../core/link';
import { type BatchFormer, batchFormer, DECODE_POOL, prefillOnly } from '../parts/batch-former';
import { router } from '../parts/router';
import { colocatedFleet } from './colocated';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import type { MachineOptions } from './machine';
import { createPipeline, type Pipeline } from './pipeline';
import { poolsFleet } from './pools';
import type { RolePlan } from './roles';

type MakeInstance = (
  index: number,
  role: Instance['role'],
  plan: RolePlan,
  pipeline: Pipeline | undefined,
) => Instance;

/**
 * The lanes of a role, replica by replica: one without a pipeline, else one per micro-batch in flight,
 * with a queue and a share of the KV of its own, as vLLM V0's virtual engines have.
 */
function makeLanes(
  plan: RolePlan,
  role: Instance['role'],
  first: number,
  makeInstance: MakeInstance,
): Instance[] {
  const { replicas, pipeline: rule } = plan;
  const lanes: Instance[] = [];
  for (let i = 0; i < replicas; i++) {
    const shared = rule === undefined ? undefined : createPipeline(rule);
    for (let k = 0; k < (rule?.stages ?? 1); k++)
      lanes.push(makeInstance(first + lanes.length, role, plan, shared));
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
  makeInstance: MakeInstance,
  clientIds: Int32Array,
): { readonly fleet: Fleet; readonly former: (instance: Instance) => BatchFormer } {
  const { topology, name } = strategy;
  if ('mixed' in roles) {
    const former = batchFormer(strategy.batchFormer);
    const instances = makeLanes(roles.mixed, 'mixed', 0, makeInstance);
    return {
      fleet: colocatedFleet(instances, router(strategy.router), clientIds, name),
      former: () => former,
    };
  }
  if (topology.type !== 'pools') throw new Error(`invalid topology: ${topology.type}`);
  const links = Array.from({ length: topology.decodeReplicas }, () =>
    createLink(
      kvBytesPerToken * (1 - topology.overlap),
      topology.linkGigabytesPerSecond * 1e9,
      topology.linkLatencyMicroseconds * 1e-6,
    ),
  );
  const prefillFormer = prefillOnly(strategy.batchFormer);
  const prefill = makeLanes(roles.prefill, 'prefill', 0, makeInstance);
  return {
    fleet: poolsFleet({
      prefill,
      decode: makeLanes(roles.decode, 'decode', prefill.length, makeInstance),
      links,
      pull: topology.pull,
      maxDecodeSequences: strategy.admission.maxSequences,
      routePrompt: router(strategy.router),
      routeDecode: router(strategy.router),
      clientIds,
      name,
    }),
    former: ({ role }) => (role === 'decode' ? DECODE_POOL : prefillFormer),
  };
}
