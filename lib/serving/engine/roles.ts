import type { ServeParams } from '../../spec/kinds/serve';
import { replicaGroups } from '../presets/degrees';
import { HARDWARE } from '../presets/hardware';
import { type KvPlan, type ParallelDegrees, planKv } from '../presets/kv-plan';
import { linkOf } from '../presets/links';
import { MODELS } from '../presets/models';
import type { CostModel, ModelSpec } from '../types';
import { type PipelineRule, pipelineRule } from './pipeline';

/** What the replicas of one role have in common. */
export interface RolePlan {
  readonly replicas: number;
  readonly degrees: ParallelDegrees;
  /** Of a whole replica; its micro-batches share the blocks out evenly. */
  readonly kvPlan: KvPlan;
  readonly costModel: CostModel;
  /** Undefined without stages. */
  readonly pipeline: PipelineRule | undefined;
}

export type RolePlans =
  | { readonly mixed: RolePlan }
  | { readonly prefill: RolePlan; readonly decode: RolePlan };

/** Of an encoder that runs where prompts are computed. */
function encoderBytes({ strategy }: ServeParams): number {
  return strategy.type === 'composed' && strategy.encode.type === 'inline'
    ? strategy.encode.gigabytes * 1e9
    : 0;
}

/**
 * Memory, time and stages of each role of a serve cell.
 *
 * @param model in place of the one that the params name
 * @throws Error with one sentence when the model does not fit
 */
export function rolePlans(
  params: ServeParams,
  costModel: CostModel,
  model: ModelSpec = MODELS[params.model],
): RolePlans {
  const hardware = HARDWARE[params.hardware];
  const plans = replicaGroups(params).map(({ role, replicas, degrees }): RolePlan => {
    const { pipeline } = degrees;
    return {
      replicas,
      degrees,
      kvPlan: planKv(
        model,
        hardware,
        params,
        degrees,
        role === 'decode' ? 0 : encoderBytes(params),
      ),
      costModel: role === 'mixed' ? costModel : (costModel.perRole?.[role] ?? costModel),
      pipeline: pipeline > 1 ? pipelineRule(model, pipeline, linkOf(hardware)) : undefined,
    };
  });
  const [first, second] = plans as [RolePlan, RolePlan | undefined];
  return second === undefined ? { mixed: first } : { prefill: first, decode: second };
}

/** Blocks of one lane: a replica's, shared out over its micro-batches. */
export function laneBlocks({ kvPlan, degrees }: RolePlan): number {
  return Math.floor(kvPlan.blocks / degrees.pipeline);
}

/** The memory of all roles as one: what a request must fit into. */
export function joinKvPlans(roles: RolePlans): KvPlan {
  if ('mixed' in roles) return roles.mixed.kvPlan;
  const { prefill, decode } = roles;
  const label =
    prefill.kvPlan.label === decode.kvPlan.label
      ? decode.kvPlan.label
      : `prefill: ${prefill.kvPlan.label}; decode: ${decode.kvPlan.label}`;
  return { ...decode.kvPlan, label };
}

/** Blocks that no load fills. */
const ENDLESS_BLOCKS = 1e9;
/** An iteration must take some time. */
const NO_SECONDS = 1e-9;

/** Pools whose prefill side takes neither time nor memory. */
export function withFreePrefill(roles: RolePlans): RolePlans {
  if ('mixed' in roles) return roles;
  const { prefill, decode } = roles;
  return {
    prefill: {
      ...prefill,
      pipeline: undefined,
      degrees: { tensor: 1, pipeline: 1 },
      kvPlan: { ...prefill.kvPlan, blocks: ENDLESS_BLOCKS, label: 'prefill without limits' },
      costModel: { ...prefill.costModel, iterationSeconds: () => NO_SECONDS },
    },
    decode,
  };
}
