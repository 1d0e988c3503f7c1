import type { GeneratedSource, WorkloadParams } from '../spec/kinds/workload';
import { generateWorkload } from './generate';
import { generateSynthetic } from './synthetic/generate';
import type { Workload } from './types';

/** The requests that a source draws. */
export function generated(params: WorkloadParams, source: GeneratedSource): Workload {
  return source.type === 'generator'
    ? generateWorkload(params, source)
    : generateSynthetic(params, source);
}
