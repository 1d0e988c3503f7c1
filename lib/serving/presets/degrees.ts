import type { ServeParams } from '../../spec/kinds/serve';
import type { ParallelDegrees } from './kv-plan';

export interface ReplicaGroup {
  readonly role: 'mixed' | 'prefill' | 'decode';
  readonly replicas: number;
  readonly degrees: ParallelDegrees;
}

/** The replicas of a serve cell: one group, or a prefill and a decode pool with degrees of their own. */
export function replicaGroups(
  params: Pick<ServeParams, 'strategy' | 'tensorParallel' | 'pipelineParallel'>,
): readonly ReplicaGroup[] {
  const { strategy } = params;
  const parts = strategy.type === 'composed' ? strategy.topology : strategy;
  const own: ParallelDegrees = {
    tensor: params.tensorParallel,
    pipeline: params.pipelineParallel,
  };
  if ('replicas' in parts) return [{ role: 'mixed', replicas: parts.replicas, degrees: own }];
  return [
    {
      role: 'prefill',
      replicas: parts.prefillReplicas,
      degrees: {
        tensor: parts.prefillTensorParallel || own.tensor,
        pipeline: parts.prefillPipelineParallel || own.pipeline,
      },
    },
    {
      role: 'decode',
      replicas: parts.decodeReplicas,
      degrees: {
        tensor: parts.decodeTensorParallel || own.tensor,
        pipeline: parts.decodePipelineParallel || own.pipeline,
      },
    },
  ];
}

/** Accelerators of all replicas. */
export function acceleratorCount(params: Parameters<typeof replicaGroups>[0]): number {
  const { strategy } = params;
  const encoders =
    strategy.type === 'composed' && strategy.encode.type === 'pool' ? strategy.encode.workers : 0;
  return replicaGroups(params).reduce(
    (sum, { replicas, degrees }) => sum + replicas * degrees.tensor * degrees.pipeline,
    encoders,
  );
}
