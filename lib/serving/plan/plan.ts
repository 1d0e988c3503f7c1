import type { PlanParams } from '../../spec/kinds/plan';
import type { ServeParams, ServeStrategy } from '../../spec/kinds/serve';
import { type ComposedStrategy, composedStrategy } from '../../spec/kinds/serve-parts';
import { toComposed } from '../compose/to-composed';
import type { ParallelDegrees } from '../presets/kv-plan';

/** Replicas of one shape. */
export interface PlanGroup {
  readonly replicas: number;
  readonly degrees: ParallelDegrees;
}

/** What runs where: replicas of both phases, or a pool of each. */
export type Plan =
  | { readonly type: 'colocated'; readonly mixed: PlanGroup }
  | { readonly type: 'pools'; readonly prefill: PlanGroup; readonly decode: PlanGroup };

export function shapeLabel({ tensor, pipeline }: ParallelDegrees): string {
  return pipeline === 1 ? `tp${tensor}` : `tp${tensor} pp${pipeline}`;
}

const groupLabel = ({ replicas, degrees }: PlanGroup): string =>
  `${replicas} x ${shapeLabel(degrees)}`;

/** In words, and one of a kind: `2 x tp2 prefill, 4 x tp1 decode`. */
export function planLabel(plan: Plan): string {
  return plan.type === 'colocated'
    ? `${groupLabel(plan.mixed)} colocated`
    : `${groupLabel(plan.prefill)} prefill, ${groupLabel(plan.decode)} decode`;
}

const groupsOf = (plan: Plan): readonly PlanGroup[] =>
  plan.type === 'colocated' ? [plan.mixed] : [plan.prefill, plan.decode];

/** Accelerators that the plan uses; a few may be left over. */
export function planAccelerators(plan: Plan): number {
  return groupsOf(plan).reduce(
    (sum, { replicas, degrees }) => sum + replicas * degrees.tensor * degrees.pipeline,
    0,
  );
}

/** Parallel degree inside a replica: tensor within the machine, stages across: what is done without a search. */
export function heuristicPlan(params: PlanParams): Plan {
  const { accelerators, maxTensorParallel } = params;
  const below = (most: number) => 2 ** Math.floor(Math.log2(most));
  const tensor = below(Math.min(accelerators, maxTensorParallel));
  const pipeline = below(Math.min(accelerators / tensor, params.maxPipelineParallel));
  const replicas = Math.floor(accelerators / (tensor * pipeline));
  return { type: 'colocated', mixed: { replicas, degrees: { tensor, pipeline } } };
}

/** The cell's own rule where it has replicas of both phases, else decodes first and prompts in chunks. */
function colocatedStrategy(strategy: ServeStrategy, replicas: number): ServeStrategy {
  if (strategy.type === 'composed')
    return strategy.topology.type === 'colocated'
      ? { ...strategy, topology: { ...strategy.topology, replicas } }
      : composedStrategy.parse({ type: 'composed', topology: { type: 'colocated', replicas } });
  if (strategy.type === 'distserve')
    return composedStrategy.parse({ type: 'composed', topology: { type: 'colocated', replicas } });
  return { ...strategy, replicas };
}

/** The cell's own rule where it has pools, else DistServe's. */
function poolsStrategy(strategy: ServeStrategy, params: PlanParams): ComposedStrategy {
  const own = toComposed(strategy);
  if (own?.topology.type === 'pools') return own;
  const { linkGigabytesPerSecond, linkLatencyMicroseconds } = params;
  return composedStrategy.parse({
    type: 'composed',
    name: 'DistServe',
    topology: {
      type: 'pools',
      pull: { type: 'threshold' },
      linkGigabytesPerSecond,
      linkLatencyMicroseconds,
    },
    batchFormer: { type: 'prefill-first', counting: 'sum' },
    chunker: { type: 'whole' },
  });
}

/** The serve cell that runs a plan: all but parallelism, and the strategy where it must, stays as it is. */
export function planServe(plan: Plan, base: ServeParams, params: PlanParams): ServeParams {
  if (plan.type === 'colocated') {
    const { replicas, degrees } = plan.mixed;
    return {
      ...base,
      tensorParallel: degrees.tensor,
      pipelineParallel: degrees.pipeline,
      strategy: colocatedStrategy(base.strategy, replicas),
    };
  }
  const { prefill, decode } = plan;
  const strategy = poolsStrategy(base.strategy, params);
  return {
    ...base,
    tensorParallel: 1,
    pipelineParallel: 1,
    strategy: {
      ...strategy,
      topology: {
        ...(strategy.topology as Extract<ComposedStrategy['topology'], { type: 'pools' }>),
        prefillReplicas: prefill.replicas,
        decodeReplicas: decode.replicas,
        prefillTensorParallel: prefill.degrees.tensor,
        prefillPipelineParallel: prefill.degrees.pipeline,
        decodeTensorParallel: decode.degrees.tensor,
        decodePipelineParallel: decode.degrees.pipeline,
      },
    },
  };
}
