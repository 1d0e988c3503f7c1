import { ATTENTION_CASES } from '../../../lib/attention/cases';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { mapBaseSteps } from '../../../lib/attention/map';
import { bfloatsToNumbers, roundToBfloats } from '../../../lib/attention/quantise/bfloat';
import { tensorError } from '../../../lib/attention/quantise/error';
import { halvesToNumbers, roundToHalves } from '../../../lib/attention/quantise/half';
import { attentionReference } from '../../../lib/attention/reference';
import type { AttentionInputs } from '../../../lib/attention/types';
import { prepareAttention } from '../../../lib/gpu/attention-job';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { mapBaseOnDevice } from '../../../lib/gpu/map-base';
import { planById } from '../../../lib/gpu/plans';
import { ResidentAttention } from '../../../lib/gpu/resident';
import { halfStorage, type Storage } from '../../../lib/gpu/stored';

let opened: Promise<GpuDevice | undefined> | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in the test browser');
  return gpu;
}

/** A case's inputs, and the same with keys and values rounded as a storage rounds them. */
function halfInputs(
  name: string,
  storage: Storage = 'half',
): { inputs: AttentionInputs; rounded: AttentionInputs } {
  const found = ATTENTION_CASES.find((each) => each.name === name);
  if (found === undefined) throw new Error(`unknown case: ${name}`);
  const made = makeInputs(found.params);
  const inputs = { ...made, query: made.query.map((value) => value * found.queryScale) };
  const round = (tensor: Float32Array) =>
    storage === 'bfloat-words'
      ? bfloatsToNumbers(roundToBfloats(tensor))
      : halvesToNumbers(roundToHalves(tensor));
  return { inputs, rounded: { ...inputs, key: round(inputs.key), value: round(inputs.value) } };
}

async function runStored(planId: string, inputs: AttentionInputs, storage: Storage) {
  const gpu = await device();
  const resident = await ResidentAttention.upload(gpu, inputs, storage);
  const job = await prepareAttention(gpu, resident, inputs, planById(planId), {
    gigaflopsPerSecond: 1,
  });
  await job.run(undefined);
  const output = await resident.read(gpu);
  const bytes = { key: resident.key.size, value: resident.value.size };
  job.destroy();
  resident.destroy();
  return { output, bytes };
}

/**
 * Error of a plan against f64 over the rounded tensors, its distance from the unrounded, and its
 * cache's share of the f32 bytes.
 */
async function runHalf(planId: string, name: string, storage: Storage) {
  const { inputs, rounded } = halfInputs(name, storage);
  const { output, bytes } = await runStored(planId, inputs, storage);
  return {
    ...compareOutputs(rounded, output, { maxFlops: Number.POSITIVE_INFINITY }),
    distance: tensorError(output.output, attentionReference(inputs).output).relativeL2,
    cacheShare: (bytes.key + bytes.value) / (inputs.key.byteLength + inputs.value.byteLength),
  };
}

/** Whether f16 of the language and f16 from words give the same bits. */
async function areSameBits(planId: string, name: string): Promise<boolean> {
  const { inputs } = halfInputs(name);
  const native = await runStored(planId, inputs, 'half');
  const words = await runStored(planId, inputs, 'half-words');
  return native.output.output.every((value, i) => Object.is(value, words.output.output[i]));
}

/** Largest difference of a map over f16 keys from the CPU's over the rounded ones. */
async function mapDifference(planId: string, name: string, storage: Storage): Promise<number> {
  const gpu = await device();
  const { inputs, rounded } = halfInputs(name);
  const resident = await ResidentAttention.upload(gpu, inputs, storage);
  const options = { gigaflopsPerSecond: 1 };
  const job = await prepareAttention(gpu, resident, inputs, planById(planId), options);
  await job.run(undefined);
  const actual = await mapBaseOnDevice(gpu, resident, 0, 0);
  job.destroy();
  resident.destroy();
  const steps = mapBaseSteps(rounded, attentionReference(rounded).lse, 0, 0);
  let step = steps.next();
  while (!step.done) step = steps.next();
  let difference = 0;
  step.value.max.forEach((value, i) => {
    if (!Number.isNaN(value)) difference = Math.max(difference, Math.abs(value - actual.max[i]!));
  });
  return difference;
}

/** What is said of a key that f16 cannot hold, or of a storage that the adapter lacks. */
async function failure(storage: Storage, key: number): Promise<string> {
  const { inputs } = halfInputs('single key');
  const large = { ...inputs, key: inputs.key.map((value, i) => (i === 3 ? key : value)) };
  return ResidentAttention.upload(await device(), large, storage).then(
    () => 'no error',
    (error: unknown) => String(error),
  );
}

export const halfTests = {
  runHalf,
  areSameBits,
  mapDifference,
  failure,
  chosenStorage: async () => halfStorage((await device()).info),
};
export type HalfTests = typeof halfTests;
Object.assign(globalThis, { kernelTests: halfTests });
