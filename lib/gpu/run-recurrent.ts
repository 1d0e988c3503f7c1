import { callShape, checkCallSteps, makeCallSteps } from '../attention/recurrent/call';
import { describeCall } from '../attention/recurrent/describe';
import type { RecurrentResult } from '../attention/recurrent/result';
import { isTestTimeRule } from '../attention/recurrent/rule';
import { recurrentBytes, recurrentFlops } from '../attention/recurrent/work';
import type { OnProgress } from '../run/worker-api';
import type { RecurrentParams } from '../spec/kinds/recurrent';
import type { GpuDevice } from './device';
import { abortable, abortableResource, driveSteps, yieldToMessages } from './jobs';
import { measure } from './measure';
import { prepareCall } from './recurrent-call';
import { adapterKey, type RoofCache } from './roof';
import { WARMUP_RUNS } from './run-context';

/** Runs a rule on the device: warm-up, timed runs, comparison with the f64 recurrence. */
export async function runRecurrentOnDevice(
  gpu: GpuDevice,
  roofs: RoofCache,
  params: RecurrentParams,
  signal: AbortSignal,
  report: OnProgress,
): Promise<RecurrentResult> {
  const { rule, timedRuns: runs } = params;
  report({ fraction: undefined, phase: 'inputs' });
  const call = await driveSteps(makeCallSteps(params), signal, () => undefined);
  if (isTestTimeRule(rule) || call.type === 'lact' || call.type === 'temporal-lora') {
    throw new Error(`rule ${rule.type} has no kernel; choose engine auto or cpu`);
  }
  const shape = callShape(call);
  const roof = await abortable(roofs.get(gpu), signal);
  report({ fraction: undefined, phase: 'compiling' });
  const { job, read, plan, notes } = await abortableResource(
    prepareCall(gpu, call),
    signal,
    (late) => late.job.destroy(),
  );
  try {
    const measured = await measure(gpu, (stamps) => job.run(stamps, signal), {
      runs,
      warmupRuns: WARMUP_RUNS,
      onRun: (done) =>
        report({
          fraction: done / (runs + WARMUP_RUNS),
          phase: done < WARMUP_RUNS ? 'warm-up' : 'timing',
        }),
    });
    report({ fraction: undefined, phase: 'checking' });
    const actual = await read();
    await yieldToMessages();
    signal.throwIfAborted();
    const { error, unit } = await driveSteps(
      checkCallSteps(params, call, actual),
      signal,
      (fraction) => report({ fraction, phase: 'checking' }),
    );
    const flops = recurrentFlops(rule, shape);
    const bytes = recurrentBytes(rule, shape);
    const copySeconds = bytes / 1e9 / roof.copyGigabytesPerSecond;
    const timing = {
      ...measured,
      flops,
      gigaflopsPerSecond: flops / measured.medianSeconds / 1e9,
    };
    const place = roofs.place(adapterKey(gpu.info), timing, bytes);
    return {
      params,
      engine: 'webgpu',
      engineNote: undefined,
      adapter: gpu.info,
      plan,
      error,
      timing,
      roof: place.roof,
      roofPlace: place.roofPlace,
      percentOfCopyRoof: (100 * copySeconds) / measured.medianSeconds,
      ...describeCall(params, call),
      fits: undefined,
      unit,
      notes: [
        ...notes,
        ...(gpu.info.isFallback ? ['software adapter: these times say nothing about a GPU'] : []),
        ...(error.withinTolerance
          ? []
          : [`output differs from the f64 reference by ${error.maxAbs.toExponential(1)}`]),
      ],
    };
  } finally {
    job.destroy();
  }
}
