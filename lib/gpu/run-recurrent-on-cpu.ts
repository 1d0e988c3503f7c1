import { callReferenceSteps, callShape, makeCallSteps, unitOf } from '../attention/recurrent/call';
import { describeCall } from '../attention/recurrent/describe';
import type { RecurrentResult } from '../attention/recurrent/result';
import { recurrentFlops } from '../attention/recurrent/work';
import type { OnProgress } from '../run/worker-api';
import type { RecurrentParams } from '../spec/kinds/recurrent';
import { driveSteps, driveTimedSteps, yieldToMessages } from './jobs';

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
  const call = await driveSteps(makeCallSteps(params), signal, () => undefined);
  report({ fraction: undefined, phase: 'timing' });
  const { value: reference, seconds } = await driveTimedSteps(
    callReferenceSteps(call),
    signal,
    (fraction) => report({ fraction, phase: 'timing' }),
  );
  const flops = recurrentFlops(params.rule, callShape(call));
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
    ...describeCall(params, call),
    fits: reference.fits,
    unit: unitOf(params, call, reference, undefined),
    notes: ['the CPU reference computes in f64, token by token, and runs once'],
  };
}
