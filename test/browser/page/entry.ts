import { ATTENTION_CASES, type AttentionCase } from '../../../lib/attention/cases';
import { compareOutputs } from '../../../lib/attention/compare';
import { makeInputs } from '../../../lib/attention/inputs';
import { mapBaseSteps } from '../../../lib/attention/map';
import { attentionReference } from '../../../lib/attention/reference';
import type { AttentionError, AttentionInputs } from '../../../lib/attention/types';
import { type JobOptions, prepareAttention } from '../../../lib/gpu/attention-job';
import { type GpuDevice, openDevice } from '../../../lib/gpu/device';
import { KERNELS, type KernelFile } from '../../../lib/gpu/kernel-table';
import { mapBaseOnDevice } from '../../../lib/gpu/map-base';
import { DECODE_QUERIES, PLANS, planById } from '../../../lib/gpu/plans';
import { ResidentAttention } from '../../../lib/gpu/resident';
import { selectKeys } from '../../../lib/gpu/select-keys';
import { SHADER_FILES } from '../../../lib/gpu/shaders';
import { resolveWgsl } from '../../../lib/gpu/wgsl';
import { maskBits } from './bits';
import * as service from './service';
import * as tensors from './tensors';

let opened: Promise<GpuDevice | undefined> | undefined;

async function device(): Promise<GpuDevice> {
  opened ??= openDevice();
  const gpu = await opened;
  if (gpu === undefined) throw new Error('no WebGPU adapter in the test browser');
  return gpu;
}

/** Inputs of a case, with its large logits. */
function caseInputs({ params, queryScale }: AttentionCase): AttentionInputs {
  const inputs = makeInputs(params);
  return { ...inputs, query: inputs.query.map((value) => value * queryScale) };
}

function caseByName(name: string): AttentionCase {
  const found = ATTENTION_CASES.find((each) => each.name === name);
  if (found === undefined) throw new Error(`unknown case: ${name}`);
  return found;
}

/** Runs a plan over inputs and reads output and LSE back. */
async function runPlan(inputs: AttentionInputs, planId: string, options: Partial<JobOptions> = {}) {
  const gpu = await device();
  const resident = await ResidentAttention.upload(gpu, inputs);
  const job = await prepareAttention(gpu, resident, inputs, planById(planId), {
    gigaflopsPerSecond: 1,
    ...options,
  });
  await job.run(undefined);
  const output = await resident.read(gpu);
  job.destroy();
  resident.destroy();
  return { ...output, submits: job.submits };
}

/** Messages of every resolved kernel file, and what its pipeline layout reveals. */
async function compileAll() {
  const gpu = await device();
  return Promise.all(
    (Object.keys(KERNELS) as KernelFile[]).map(async (file) => {
      const { code } = resolveWgsl(SHADER_FILES, file);
      const module = gpu.device.createShaderModule({ code });
      const { messages } = await module.getCompilationInfo();
      const entries = [...code.matchAll(/@compute[\s\S]*?fn (\w+)\(/g)].map((match) => match[1]);
      const overrides = [...code.matchAll(/^override (\w+)/gm)].map((match) => match[1]);
      return {
        file,
        messages: messages.map(({ message, lineNum }) => `${lineNum}: ${message}`),
        entries,
        overrides,
        needsSubgroups: /^enable subgroups;/m.test(code),
        // A pipeline on a device with default limits is refused above 16,384 bytes.
        defaultLimits: await compilesUnderDefaultLimits(code),
      };
    }),
  );
}

async function compilesUnderDefaultLimits(code: string): Promise<string | undefined> {
  const adapter = await navigator.gpu.requestAdapter();
  const features: GPUFeatureName[] = adapter!.features.has('subgroups') ? ['subgroups'] : [];
  const plain = await adapter!.requestDevice({ requiredFeatures: features });
  try {
    await plain.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: plain.createShaderModule({ code }) },
    });
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    plain.destroy();
  }
}

/** Error of one plan over one case of the table. */
async function runCase(planId: string, name: string): Promise<AttentionError> {
  const each = caseByName(name);
  const inputs = caseInputs(each);
  const output = await runPlan(inputs, planId);
  return compareOutputs(inputs, output, {
    maxFlops: Number.POSITIVE_INFINITY,
  });
}

/** Error of one plan over any params. */
async function runParams(planId: string, params: AttentionCase['params']): Promise<AttentionError> {
  const { signal } = new AbortController();
  const { inputs } = await selectKeys(params, makeInputs(params), signal, () => undefined);
  const output = await runPlan(inputs, planId);
  return compareOutputs(inputs, output, { maxFlops: Number.POSITIVE_INFINITY });
}

/** Pipelines that the device compiled while a plan ran over each of the params in turn. */
async function countCompiles(planId: string, each: readonly AttentionCase['params'][]) {
  const gpu = await device();
  const counts: number[] = [];
  for (const params of each) {
    const before = gpu.pipelines.size;
    await runPlan(makeInputs(params), planId);
    counts.push(gpu.pipelines.size - before);
  }
  return counts;
}

/** Largest differences between plans, or split counts, over one case. */
async function spreadOfSplits(name: string, planId: string, splits: readonly number[]) {
  const each = caseByName(name);
  const inputs = caseInputs(each);
  const whole = attentionReference(inputs);
  const worst: number[] = [];
  for (const count of splits) {
    const { output, lse } = await runPlan(inputs, planId, { splits: count });
    let largest = 0;
    output.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - whole.output[i]!));
    });
    lse.forEach((value, i) => {
      if (value !== whole.lse[i]) largest = Math.max(largest, Math.abs(value - whole.lse[i]!));
    });
    worst.push(largest);
  }
  return worst;
}

/** Largest difference between the device's base reduction and the CPU's, and of their masked cells. */
async function mapBaseDifference(params: AttentionCase['params'], head: number) {
  const gpu = await device();
  const inputs = makeInputs(params);
  const resident = await ResidentAttention.upload(gpu, inputs);
  const plan = PLANS.find(
    ({ family }) => family === (params.shape.queries <= DECODE_QUERIES ? 'decode' : 'prefill'),
  )!;
  const job = await prepareAttention(gpu, resident, inputs, plan, {
    gigaflopsPerSecond: 1,
  });
  await job.run(undefined);
  const actual = await mapBaseOnDevice(gpu, resident, 0, head);
  const { lse } = attentionReference(inputs);
  const steps = mapBaseSteps(inputs, lse, 0, head);
  let step = steps.next();
  while (!step.done) step = steps.next();
  const expected = step.value;
  let difference = 0;
  let maskedMismatches = 0;
  for (const key of ['max', 'mean'] as const) {
    expected[key].forEach((value, i) => {
      const other = actual[key][i]!;
      if (Number.isNaN(value) !== Number.isNaN(other)) maskedMismatches++;
      else if (!Number.isNaN(value)) difference = Math.max(difference, Math.abs(value - other));
    });
  }
  job.destroy();
  resident.destroy();
  return {
    difference,
    maskedMismatches,
    rows: actual.rows,
    columns: actual.columns,
    expectedRows: expected.rows,
    expectedColumns: expected.columns,
  };
}

/** The bits of two runs of one plan. */
async function isRepeatable(planId: string, name: string): Promise<boolean> {
  const each = caseByName(name);
  const inputs = caseInputs(each);
  const first = await runPlan(inputs, planId);
  const second = await runPlan(inputs, planId);
  return first.output.every((value, i) => Object.is(value, second.output[i]));
}

export const kernelTests = {
  compileAll,
  runCase,
  runParams,
  countCompiles,
  spreadOfSplits,
  mapBaseDifference,
  isRepeatable,
  maskBits,
  adapter: async () => (await device()).info,
  ...service,
  ...tensors,
};
export type KernelTests = typeof kernelTests;
Object.assign(globalThis, { kernelTests });
