import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import type { AttentionInputs, AttentionOutput } from '../../../lib/attention/types';
import { prepareAttention } from '../../../lib/gpu/attention-job';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { planById } from '../../../lib/gpu/plans';
import { ResidentAttention } from '../../../lib/gpu/resident';
import { createRandom } from '../../../lib/random/random';
import type { AttentionParams } from '../../../lib/spec/kinds/attention';

let opened: Promise<GpuDevice | undefined> | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter for the tests');
  return gpu;
}

async function runPlan(planId: string, inputs: AttentionInputs): Promise<AttentionOutput> {
  const gpu = await device();
  const resident = await ResidentAttention.upload(gpu, inputs);
  const job = await prepareAttention(gpu, resident, inputs, planById(planId), {
    gigaflopsPerSecond: 1,
  });
  await job.run(undefined);
  const output = await resident.read(gpu);
  job.destroy();
  resident.destroy();
  return output;
}

/** Largest difference of outputs and of LSE; equal infinities are equal. */
function difference(a: AttentionOutput, b: AttentionOutput): number {
  let largest = 0;
  for (const key of ['output', 'lse'] as const) {
    a[key].forEach((value, i) => {
      const other = b[key][i]!;
      if (value !== other) largest = Math.max(largest, Math.abs(value - other));
    });
  }
  return largest;
}

/** Error of a plan against f64 for every head size. */
async function headSizes(planId: string, params: AttentionParams, sizes: readonly number[]) {
  const errors = [];
  for (const headSize of sizes) {
    const inputs = makeInputs({ ...params, shape: { ...params.shape, headSize } });
    const output = await runPlan(planId, inputs);
    errors.push(compareOutputs(inputs, output, { maxFlops: Number.POSITIVE_INFINITY }));
  }
  return errors;
}

/** Difference when keys and values of every head change places by one seeded permutation. */
async function permutedKeys(planId: string, params: AttentionParams, seed: number) {
  const inputs = makeInputs(params);
  const { keys, headSize } = inputs.shape;
  const random = createRandom(seed);
  const order = Array.from({ length: keys }, (_, i) => i);
  for (let i = keys - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const permuted = (tensor: Float32Array) => {
    const out = new Float32Array(tensor.length);
    for (let row = 0; row < tensor.length / headSize; row++) {
      const from = (Math.floor(row / keys) * keys + order[row % keys]!) * headSize;
      out.set(tensor.subarray(from, from + headSize), row * headSize);
    }
    return out;
  };
  const changed = { ...inputs, key: permuted(inputs.key), value: permuted(inputs.value) };
  return {
    moved: order.filter((from, to) => from !== to).length,
    difference: difference(await runPlan(planId, inputs), await runPlan(planId, changed)),
  };
}

/** Largest difference of any plan from the first: blocks of other sizes, the same attention. */
async function spreadOfPlans(planIds: readonly string[], params: AttentionParams) {
  const inputs = makeInputs(params);
  const outputs: AttentionOutput[] = [];
  for (const id of planIds) outputs.push(await runPlan(id, inputs));
  return outputs.map((output) => difference(outputs[0]!, output));
}

export const lawTests = { headSizes, permutedKeys, spreadOfPlans };
export type LawTests = typeof lawTests;
Object.assign(globalThis, { kernelTests: lawTests });
