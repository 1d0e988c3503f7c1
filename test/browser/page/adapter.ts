import { compareOutputs } from '../../../lib/attention/compare';
import type { DecodeResult } from '../../../lib/attention/decode/result';
import { makeInputs } from '../../../lib/attention/inputs';
import { halvesToNumbers, roundToHalves } from '../../../lib/attention/quantise/half';
import type { AttentionInputs } from '../../../lib/attention/types';
import { prepareAttention } from '../../../lib/gpu/attention-job';
import { decodeOnDevice } from '../../../lib/gpu/decode-on-device';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { type AttentionPlan, planById } from '../../../lib/gpu/plans';
import { ResidentAttention } from '../../../lib/gpu/resident';
import { RoofCache } from '../../../lib/gpu/roof';
import { runDecode } from '../../../lib/gpu/run-decode';
import { halfStorage, type Storage } from '../../../lib/gpu/stored';
import type { AttentionParams, AttentionShape } from '../../../lib/spec/kinds/attention';
import type { DecodeParams } from '../../../lib/spec/kinds/decode';
import { quantisedTests } from './quantised';
import { recurrentTests } from './recurrent';

let opened: Promise<GpuDevice | undefined> | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter for the tests');
  return gpu;
}

/** Constants of a block of keys: how many keys one of it stands for. */
const BLOCK_CONSTANTS = { KEY_STEPS: 4, BLOCK_GROUPS: 4, BLOCK_PAIRS: 2 } as const;

/**
 * A plan whose blocks of keys are shorter, where it has such a constant, with half the rows where it
 * unrolls whole ones: the same kernel, of which a slow compiler has less to unroll.
 */
function withShortBlocks(plan: AttentionPlan, steps: number): AttentionPlan {
  const constantsOf = (shape: AttentionShape) => plan.kernel(shape).constants ?? {};
  const kernel: AttentionPlan['kernel'] = (shape) => {
    const constants = { ...constantsOf(shape) };
    for (const [name, keys] of Object.entries(BLOCK_CONSTANTS)) {
      if (name in constants) constants[name] = (4 * steps) / keys;
    }
    // Plans of whole rows unroll all of them, in two loops.
    if (plan.family === 'prefill' && plan.readsWords === true && constants.ROWS !== undefined) {
      constants.ROWS /= 2;
    }
    return { ...plan.kernel(shape), constants };
  };
  if (!plan.needsSubgroups) return plan;
  const short = { ...plan, kernel, blockKeys: 4 * steps };
  return short.family === 'prefill' && short.readsWords === true
    ? { ...short, blockQueries: short.blockQueries / 2 }
    : short;
}

/** Error of a plan of 2 keys per lane, against f64 over tensors as the storage rounds them. */
async function runSmall(planId: string, params: AttentionParams, storage: Storage) {
  const gpu = await device();
  const inputs = makeInputs(params);
  const rounded = (tensor: Float32Array) =>
    storage === 'f32' ? tensor : halvesToNumbers(roundToHalves(tensor));
  const expected: AttentionInputs = {
    ...inputs,
    key: rounded(inputs.key),
    value: rounded(inputs.value),
  };
  const resident = await ResidentAttention.upload(gpu, inputs, storage);
  const plan = withShortBlocks(planById(planId), 2);
  const job = await prepareAttention(gpu, resident, inputs, plan, { gigaflopsPerSecond: 1 });
  await job.run(undefined);
  const output = await resident.read(gpu);
  job.destroy();
  resident.destroy();
  return compareOutputs(expected, output, { maxFlops: Number.POSITIVE_INFINITY });
}

/** A decode step through the engine, on one plan: choosing among them compiles them all. */
async function runStep(
  planId: string,
  params: DecodeParams,
  bufferPlanId = planId,
): Promise<DecodeResult> {
  const gpu = await device();
  const plan = planById(planId);
  const { id, label } = plan;
  const choice = { id, label, candidates: [] };
  const timed = { plan, gigaflopsPerSecond: 1 };
  const forBuffers = { ...timed, plan: planById(bufferPlanId) };
  const chosen = { ...timed, forBuffers, choice, discarded: [] };
  const plans = { choose: async () => chosen };
  const { signal } = new AbortController();
  const runner = await decodeOnDevice(gpu, { plans, roofs: new RoofCache() }, params.shape, signal);
  return runDecode(params, runner, signal, () => undefined);
}

export const adapterTests = {
  runStep,
  runSmall,
  chosenStorage: async () => halfStorage((await device()).info),
  runQuantised: quantisedTests.runQuantised,
  runPaged: quantisedTests.runPaged,
  runRule: recurrentTests.runRule,
};
export type AdapterTests = typeof adapterTests;
Object.assign(globalThis, { kernelTests: adapterTests });
