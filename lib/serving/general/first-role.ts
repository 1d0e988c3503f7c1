import type { MachineOptions } from '../engine/machine';
import type { RolePlan } from '../engine/roles';
import type { KvPlan } from '../presets/kv-plan';
import type { CostModel } from '../types';

/** A machine's options, and those of the role that prefills, which caches and estimates are of. */
export interface GeneralOptions extends MachineOptions {
  readonly plans: readonly [RolePlan, ...RolePlan[]];
  readonly kvPlan: KvPlan;
  readonly costModel: CostModel;
  /** Lanes that share one replica, each with a micro-batch of its own. */
  readonly lanesPerReplica: number;
}

/** @throws Error with one sentence for stages where an iteration is more than a batch, and for a pull threshold */
export function withFirstRole(options: MachineOptions): GeneralOptions {
  const { roles, strategy } = options;
  const plans: readonly [RolePlan, ...RolePlan[]] =
    'mixed' in roles ? [roles.mixed] : [roles.prefill, roles.decode];
  const { topology, partition, chunker, preemption } = strategy;
  const hasStages = plans.some(({ pipeline }) => pipeline !== undefined);
  if (hasStages && partition.type !== 'none')
    throw new Error(
      `invalid pipelineParallel: above 1 with partition "${partition.type}" (how two phases share each of the stages is not simulated: choose pipelineParallel 1)`,
    );
  if (hasStages && chunker.type === 'layer-group')
    throw new Error(
      'invalid pipelineParallel: above 1 with chunker "layer-group" (a group of layers would be on one stage while the others are idle: choose pipelineParallel 1)',
    );
  if (hasStages && preemption.type === 'pause-at-operator')
    throw new Error(
      'invalid pipelineParallel: above 1 with preemption "pause-at-operator" (a prompt that is stopped would be on one of several stages: choose pipelineParallel 1)',
    );
  if (topology.type === 'pools' && topology.pull.type === 'threshold')
    throw new Error(
      'invalid pull: "threshold" with prefix caches, tiers, programs, pauses or rejection (only the engine without these has DistServe\'s rule: choose "admission")',
    );
  const [first] = plans;
  return {
    ...options,
    plans,
    kvPlan: first.kvPlan,
    costModel: first.costModel,
    lanesPerReplica: first.pipeline?.stages ?? 1,
  };
}

/** Where roles change, every accelerator may come to be in either pool. */
export function withAllInEachRole(options: MachineOptions, replicas: number): MachineOptions {
  const { roles } = options;
  if ('mixed' in roles) return options;
  const { prefill, decode } = roles;
  return {
    ...options,
    roles: { prefill: { ...prefill, replicas }, decode: { ...decode, replicas } },
  };
}
