import type { GeneratedSource, WorkloadParams } from '../spec/kinds/workload';
import { generateWorkloadSteps } from './generate';
import { runSteps, type WorkloadSteps } from './steps';
import { generateSyntheticSteps } from './synthetic/generate';
import type { Workload } from './types';

/** The requests that a source draws. */
export function generated(params: WorkloadParams, source: GeneratedSource): Workload {
  return runSteps(generatedSteps(params, source));
}

/** The same in steps. */
export function generatedSteps(
  params: WorkloadParams,
  source: GeneratedSource,
): WorkloadSteps<Workload> {
  return source.type === 'generator'
    ? generateWorkloadSteps(params, source)
    : generateSyntheticSteps(params, source);
}
