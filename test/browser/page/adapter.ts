import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { halvesToNumbers, roundToHalves } from '../../../lib/attention/quantise/half';
import type { AttentionInputs } from '../../../lib/attention/types';
import { prepareAttention } from '../../../lib/gpu/attention-job';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { type AttentionPlan, planById } from '../../../lib/gpu/plans';
import { ResidentAttention } from '../../../lib/gpu/resident';
import { halfStorage, type Storage } from '../../../lib/gpu/stored';
import type { AttentionParams, AttentionShape } from '../../../lib/spec/kinds/attention';
import { quantisedTests } from './quantised';
import { recurrentTests } from './recurrent';

let opened: Promise<GpuDevice | undefined> | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter for the tests');
  return gpu;
}

/**
 * A plan whose keys per lane are fewer, where it has such a constant: the same kernel, of which a
 * slow compiler has less to unroll.
 */
function withKeySteps(plan: AttentionPlan, shape: AttentionShape, keySteps: number): AttentionPlan {
  const isUnrolled = 'KEY_STEPS' in (plan.kernel(shape).constants ?? {});
  const kernel: AttentionPlan['kernel'] = (shape) => {
    const variant = plan.kernel(shape);
    return { ...variant, constants: { ...variant.constants, KEY_STEPS: keySteps } };
  };
  return isUnrolled ? { ...plan, kernel, blockKeys: 4 * keySteps } : plan;
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
  const plan = withKeySteps(planById(planId), params.shape, 2);
  const job = await prepareAttention(gpu, resident, inputs, plan, { gigaflopsPerSecond: 1 });
  await job.run(undefined);
  const output = await resident.read(gpu);
  job.destroy();
  resident.destroy();
  return compareOutputs(expected, output, { maxFlops: Number.POSITIVE_INFINITY });
}

export const adapterTests = {
  runSmall,
  chosenStorage: async () => halfStorage((await device()).info),
  runQuantised: quantisedTests.runQuantised,
  runPaged: quantisedTests.runPaged,
  runRule: recurrentTests.runRule,
};
export type AdapterTests = typeof adapterTests;
Object.assign(globalThis, { kernelTests: adapterTests });
