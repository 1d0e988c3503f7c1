import type { ServeParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { createSimulation } from '../core/simulation';
import { makeCostModel } from '../cost/make-cost-model';
import type { ServeResult } from '../types';
import type { CheckProgress } from './types';

/** Iterations between two looks of whoever drives a check. */
const SLICE = 100;

/** Equal requests that all arrive at once. */
export function offlineWorkload(requests: number, prompt: number, output: number): Workload {
  return {
    arrivalSeconds: new Float64Array(requests),
    promptTokens: new Int32Array(requests).fill(prompt),
    outputTokens: new Int32Array(requests).fill(output),
    label: `${requests} requests of ${prompt} tokens in and ${output} out, all at once`,
    source: 'equal requests made for a check',
    seed: 0,
    notes: [],
  };
}

/** A serving run inside a check, given up to its driver in slices. */
export function* servingRun(
  params: ServeParams,
  workload: Workload,
  progress: CheckProgress,
): Generator<CheckProgress, ServeResult> {
  const simulation = createSimulation(params, workload, makeCostModel(params));
  while (simulation.advance(SLICE)) yield progress;
  return simulation.result();
}
