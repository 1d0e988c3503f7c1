import { createLink } from '../core/link';
import { type BatchFormer, batchFormer, DECODE_POOL, prefillOnly } from '../parts/batch-former';
import { router } from '../parts/router';
import { colocatedFleet } from './colocated';
import type { Fleet } from './fleet';
import type { Instance } from './instance';
import type { MachineOptions } from './machine';
import { poolsFleet } from './pools';

/** The replicas of a topology, and the batch former of each of them. */
export function makeFleet(
  { strategy, kvBytesPerToken }: Pick<MachineOptions, 'strategy' | 'kvBytesPerToken'>,
  makeInstance: (index: number, role: Instance['role']) => Instance,
  clientIds: Int32Array,
): { readonly fleet: Fleet; readonly former: (instance: Instance) => BatchFormer } {
  const { topology, name } = strategy;
  if (topology.type === 'colocated') {
    const former = batchFormer(strategy.batchFormer);
    const instances = Array.from({ length: topology.replicas }, (_, i) => makeInstance(i, 'mixed'));
    return {
      fleet: colocatedFleet(instances, router(strategy.router), clientIds, name),
      former: () => former,
    };
  }
  const { prefillReplicas, decodeReplicas } = topology;
  const links = Array.from({ length: decodeReplicas }, () =>
    createLink(
      kvBytesPerToken * (1 - topology.overlap),
      topology.linkGigabytesPerSecond * 1e9,
      topology.linkLatencyMicroseconds * 1e-6,
    ),
  );
  const prefillFormer = prefillOnly(strategy.batchFormer);
  return {
    fleet: poolsFleet({
      prefill: Array.from({ length: prefillReplicas }, (_, i) => makeInstance(i, 'prefill')),
      decode: Array.from({ length: decodeReplicas }, (_, i) =>
        makeInstance(prefillReplicas + i, 'decode'),
      ),
      links,
      routePrompt: router(strategy.router),
      routeDecode: router(strategy.router),
      clientIds,
      name,
    }),
    former: ({ role }) => (role === 'decode' ? DECODE_POOL : prefillFormer),
  };
}
