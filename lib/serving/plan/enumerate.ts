import type { PlanParams } from '../../spec/kinds/plan';
import type { ServeParams } from '../../spec/kinds/serve';
import { makeCostModel } from '../cost/make-cost-model';
import { HARDWARE } from '../presets/hardware';
import { type ParallelDegrees, planKv } from '../presets/kv-plan';
import { MODELS } from '../presets/models';
import { type Plan, planServe, shapeLabel } from './plan';

/** One phase of one shape, whose highest rate a screening finds. */
export type Phase = 'mixed' | 'prefill' | 'decode';

export interface PrunedShape {
  /** `tp1 colocated`: what it was to be used for. */
  readonly label: string;
  readonly reason: string;
}

export interface Shapes {
  readonly mixed: readonly ParallelDegrees[];
  readonly pools: readonly ParallelDegrees[];
  readonly pruned: readonly PrunedShape[];
}

const powersUpTo = (most: number): readonly number[] =>
  Array.from({ length: Math.floor(Math.log2(most)) + 1 }, (_, i) => 2 ** i);

/**
 * Shapes of a replica that there are accelerators, memory and times for; the others with the reason.
 *
 * @param tables parsed content of the file bound to the serve cell
 */
export function replicaShapes(params: PlanParams, base: ServeParams, tables?: unknown): Shapes {
  const { accelerators, arrangements } = params;
  const model = MODELS[base.model];
  const mixed: ParallelDegrees[] = [];
  const pools: ParallelDegrees[] = [];
  const pruned: PrunedShape[] = [];
  const why = (plan: Plan, degrees: ParallelDegrees): string | undefined => {
    const serve = planServe(plan, base, params);
    if (model.queryHeads % degrees.tensor !== 0)
      return `${model.queryHeads} query heads do not divide by ${degrees.tensor}`;
    if (serve.strategy.type === 'vllm-v1' && degrees.pipeline > 1)
      return 'strategy vllm-v1 has no stages here';
    try {
      planKv(model, HARDWARE[base.hardware], base, degrees);
      makeCostModel(serve, tables);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  for (const tensor of powersUpTo(params.maxTensorParallel)) {
    for (const pipeline of powersUpTo(params.maxPipelineParallel)) {
      const degrees = { tensor, pipeline };
      const size = tensor * pipeline;
      const group = { replicas: 1, degrees };
      const use = (plan: Plan, name: string, fits: boolean, into: ParallelDegrees[]) => {
        const reason = fits ? why(plan, degrees) : `needs ${size} accelerators of ${accelerators}`;
        if (reason === undefined) into.push(degrees);
        else pruned.push({ label: `${shapeLabel(degrees)} ${name}`, reason });
      };
      if (arrangements !== 'pools')
        use({ type: 'colocated', mixed: group }, 'colocated', size <= accelerators, mixed);
      // A pool of the other phase needs at least one.
      if (arrangements !== 'colocated')
        use(
          { type: 'pools', prefill: group, decode: group },
          'in a pool',
          size < accelerators,
          pools,
        );
    }
  }
  return { mixed, pools, pruned };
}

/**
 * Every plan of the shapes: as many colocated replicas as there is room for, and every split into
 * pools that leaves no accelerator idle.
 */
export function enumeratePlans(accelerators: number, shapes: Shapes): readonly Plan[] {
  const plans: Plan[] = shapes.mixed.map((degrees) => ({
    type: 'colocated',
    mixed: { replicas: Math.floor(accelerators / (degrees.tensor * degrees.pipeline)), degrees },
  }));
  for (const first of shapes.pools) {
    const size = first.tensor * first.pipeline;
    for (let replicas = 1; replicas * size < accelerators; replicas++) {
      const left = accelerators - replicas * size;
      for (const second of shapes.pools) {
        const other = second.tensor * second.pipeline;
        if (left % other !== 0) continue;
        plans.push({
          type: 'pools',
          prefill: { replicas, degrees: first },
          decode: { replicas: left / other, degrees: second },
        });
      }
    }
  }
  return plans;
}
