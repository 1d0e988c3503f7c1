import { describeRule, recurrentInputs } from '../attention/recurrent/call';
import { compareRecurrent } from '../attention/recurrent/compare';
import type { RecurrentResult } from '../attention/recurrent/result';
import { recurrentBytes, recurrentFlops } from '../attention/recurrent/work';
import type { OnProgress } from '../run/worker-api';
import type { RecurrentParams } from '../spec/kinds/recurrent';
import type { GpuDevice } from './device';
import { yieldToMessages } from './jobs';
import { measure } from './measure';
import { prepareRecurrent } from './recurrent-job';
import { defaultRecurrentPlan } from './recurrent-plans';
import { adapterKey, type RoofCache } from './roof';
import { WARMUP_RUNS } from './run-context';

/** Guess that decides the length of the first submits. */
const GUESS_GIGAFLOPS = 4;

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
  const inputs = recurrentInputs(params);
  const plan = defaultRecurrentPlan(gpu.info, rule, inputs.shape);
  const roof = await roofs.get(gpu);
  report({ fraction: undefined, phase: 'compiling' });
  const job = await prepareRecurrent(gpu, inputs, rule, plan, {
    gigaflopsPerSecond: GUESS_GIGAFLOPS,
  });
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
    const actual = await job.read();
    await yieldToMessages();
    signal.throwIfAborted();
    const error = compareRecurrent(inputs, rule, actual);
    const flops = recurrentFlops(rule, inputs.shape);
    const bytes = recurrentBytes(rule, inputs.shape);
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
      plan: plan.label,
      error,
      timing,
      roof: place.roof,
      roofPlace: place.roofPlace,
      percentOfCopyRoof: (100 * copySeconds) / measured.medianSeconds,
      ...describeRule(params, inputs),
      notes: [
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
