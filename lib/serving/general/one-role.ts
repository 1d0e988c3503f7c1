import type { MachineOptions } from '../engine/machine';
import type { KvPlan } from '../presets/kv-plan';
import type { CostModel } from '../types';

/** What this engine runs: replicas that are all alike, without pipeline stages. */
export interface GeneralOptions extends MachineOptions {
  readonly kvPlan: KvPlan;
  readonly costModel: CostModel;
  readonly watermarkBlocks: number;
  readonly tensorParallel: number;
}

/** @throws Error with one sentence for pipeline stages, pools of unlike replicas, and a pull threshold */
export function withOneRole(options: MachineOptions): GeneralOptions {
  const { roles, watermark, strategy } = options;
  const all = 'mixed' in roles ? [roles.mixed] : [roles.prefill, roles.decode];
  const [first] = all as [(typeof all)[number]];
  if (all.some(({ pipeline }) => pipeline !== undefined))
    throw new Error(
      'pipeline stages cannot be combined with prefix caches, tiers, programs, layer groups, partitions or pauses',
    );
  if (strategy.topology.type === 'pools' && strategy.topology.pull.type === 'threshold')
    throw new Error(
      'a pull threshold cannot be combined with prefix caches, tiers, programs, layer groups, partitions or pauses',
    );
  if (all.some(({ degrees }) => degrees.tensor !== first.degrees.tensor))
    throw new Error(
      'pools of different tensor-parallel degrees cannot be combined with prefix caches, tiers, programs, layer groups or pauses',
    );
  return {
    ...options,
    kvPlan: first.kvPlan,
    costModel: first.costModel,
    watermarkBlocks: Math.floor(watermark * first.kvPlan.blocks),
    tensorParallel: first.degrees.tensor,
  };
}
