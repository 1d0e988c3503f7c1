import { describeRule, recurrentInputs } from '../attention/recurrent/call';
import { recurrentReference } from '../attention/recurrent/reference';
import type { RecurrentResult } from '../attention/recurrent/result';
import { recurrentFlops } from '../attention/recurrent/work';
import type { OnProgress } from '../run/worker-api';
import type { RecurrentParams } from '../spec/kinds/recurrent';
import { yieldToMessages } from './jobs';

/** Runs the f64 recurrence on the CPU, once. */
export async function runRecurrentOnCpu(
  params: RecurrentParams,
  engineNote: string | undefined,
  signal: AbortSignal,
  report: OnProgress,
): Promise<RecurrentResult> {
  report({ fraction: undefined, phase: 'inputs' });
  await yieldToMessages();
  signal.throwIfAborted();
  const inputs = recurrentInputs(params);
  report({ fraction: undefined, phase: 'timing' });
  const start = performance.now();
  recurrentReference(inputs, params.rule);
  const seconds = (performance.now() - start) / 1000;
  const flops = recurrentFlops(params.rule, inputs.shape);
  return {
    params,
    engine: 'cpu',
    engineNote,
    adapter: undefined,
    plan: undefined,
    error: undefined,
    timing: {
      medianSeconds: seconds,
      samplesSeconds: [seconds],
      warmupRuns: 0,
      clock: 'performance.now',
      flops,
      gigaflopsPerSecond: flops / seconds / 1e9,
    },
    roof: undefined,
    percentOfCopyRoof: undefined,
    roofPlace: undefined,
    ...describeRule(params, inputs),
    notes: ['the CPU reference computes in f64, token by token, and runs once'],
  };
}
