import { compareCall, makeCall } from '../../../lib/attention/recurrent/call';
import { withGatesAtEnds } from '../../../lib/attention/recurrent/cases';
import { compareRecurrent } from '../../../lib/attention/recurrent/compare';
import { makeRecurrentInputs } from '../../../lib/attention/recurrent/inputs';
import { recurrentReference } from '../../../lib/attention/recurrent/reference';
import type { RecurrentShape, StateRule } from '../../../lib/attention/recurrent/types';
import { recurrentBytes, recurrentFlops } from '../../../lib/attention/recurrent/work';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { prepareLegendre } from '../../../lib/gpu/legendre-job';
import { measure } from '../../../lib/gpu/measure';
import { prepareRecurrent } from '../../../lib/gpu/recurrent-job';
import { recurrentPlanById } from '../../../lib/gpu/recurrent-plans';
import { RoofCache } from '../../../lib/gpu/roof';
import { recurrentParams } from '../../../lib/spec/kinds/recurrent';

let opened: Promise<GpuDevice | undefined> | undefined;
const roofs = new RoofCache();

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in the test browser');
  return gpu;
}

/** Runs a rule, twice where asked, and compares output and last state with the f64 reference. */
async function runRule(
  planId: string,
  rule: StateRule,
  shape: RecurrentShape,
  options: {
    readonly gigaflopsPerSecond?: number;
    readonly runs?: number;
    readonly gates?: 'drawn' | 'at ends';
  } = {},
) {
  const drawn = makeRecurrentInputs(shape, rule, 7);
  const inputs = options.gates === 'at ends' ? withGatesAtEnds(drawn) : drawn;
  const job = await prepareRecurrent(await device(), inputs, rule, recurrentPlanById(planId), {
    gigaflopsPerSecond: options.gigaflopsPerSecond ?? 4,
  });
  try {
    for (let run = 0; run < (options.runs ?? 1); run++) await job.run(undefined);
    return { ...compareRecurrent(inputs, rule, await job.read()), submits: job.submits };
  } finally {
    job.destroy();
  }
}

/** Carries the state of a first call into a second one, as decoding does. */
async function runCarried(planId: string, rule: StateRule, shape: RecurrentShape) {
  const gpu = await device();
  const plan = recurrentPlanById(planId);
  const options = { gigaflopsPerSecond: 4 };
  const before = makeRecurrentInputs(shape, rule, 1);
  const after = makeRecurrentInputs({ ...shape, tokens: 3 }, rule, 2);
  const first = await prepareRecurrent(gpu, before, rule, plan, options);
  await first.run(undefined);
  const { state } = await first.read();
  first.destroy();
  const second = await prepareRecurrent(gpu, after, rule, plan, {
    ...options,
    initialState: state,
  });
  await second.run(undefined);
  const result = await second.read();
  second.destroy();
  return compareRecurrent(after, rule, result, recurrentReference(before, rule).state);
}

/** Aborts after the first of many submits; how the run ends and whether the next one is right. */
async function abortAndRunAgain(planId: string, rule: StateRule, shape: RecurrentShape) {
  const inputs = makeRecurrentInputs(shape, rule, 7);
  const job = await prepareRecurrent(await device(), inputs, rule, recurrentPlanById(planId), {
    gigaflopsPerSecond: 1e-3,
  });
  const controller = new AbortController();
  const running = job.run(undefined, controller.signal).then(
    () => 'finished',
    (error: unknown) => (error as Error).name,
  );
  controller.abort();
  const ended = await running;
  await job.run(undefined);
  const error = compareRecurrent(inputs, rule, await job.read());
  job.destroy();
  return { ended, submits: job.submits, withinTolerance: error.withinTolerance };
}

/** Runs a Legendre memory, twice where asked, and compares output and last state with f64. */
async function runLegendre(
  thetaTokens: number,
  shape: RecurrentShape,
  options: { readonly gigaflopsPerSecond?: number; readonly runs?: number } = {},
) {
  const call = makeCall(recurrentParams.parse({ shape, rule: { type: 'lmu', thetaTokens } }));
  if (call.type !== 'lmu') throw new Error(`not a Legendre memory: ${call.type}`);
  const { runs = 1, ...jobOptions } = options;
  const job = await prepareLegendre(await device(), call.inputs, jobOptions);
  try {
    for (let run = 0; run < runs; run++) await job.run(undefined);
    return { ...compareCall(call, await job.read()), submits: job.submits };
  } finally {
    job.destroy();
  }
}

async function failure(planId: string, rule: StateRule, shape: RecurrentShape): Promise<string> {
  return runRule(planId, rule, shape).then(
    () => 'no error',
    (error: unknown) => String(error),
  );
}

/** Median time of one run beside the time of copying the same bytes at the adapter's copy roof. */
async function timeRule(planId: string, rule: StateRule, shape: RecurrentShape) {
  const gpu = await device();
  const roof = await roofs.get(gpu);
  const inputs = makeRecurrentInputs(shape, rule, 7);
  const job = await prepareRecurrent(gpu, inputs, rule, recurrentPlanById(planId), {
    gigaflopsPerSecond: 4,
  });
  const timing = await measure(gpu, job.run, { runs: 5, warmupRuns: 1 });
  job.destroy();
  const flops = recurrentFlops(rule, shape);
  return {
    milliseconds: timing.medianSeconds * 1e3,
    copyMilliseconds: (recurrentBytes(rule, shape) / roof.copyGigabytesPerSecond / 1e9) * 1e3,
    gigaflopsPerSecond: flops / timing.medianSeconds / 1e9,
    roofGigaflopsPerSecond: roof.matmulGigaflopsPerSecond,
    submits: job.submits,
    clock: timing.clock,
  };
}

export const recurrentTests = {
  runRule,
  runCarried,
  runLegendre,
  abortAndRunAgain,
  failure,
  timeRule,
  hasSubgroups: async () => (await device()).info.hasSubgroups,
};
export type RecurrentTests = typeof recurrentTests;
Object.assign(globalThis, { kernelTests: recurrentTests });
