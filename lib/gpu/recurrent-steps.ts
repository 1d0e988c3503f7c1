import type { RecurrentShape, StateRule } from '../attention/recurrent/types';
import { tokenFlops } from '../attention/recurrent/work';
import type { GpuDevice } from './device';
import paramsSource from './kernels/recurrent-params.wgsl';
import type { RecurrentPlan, WalkPart } from './recurrent-plans';
import { paddedSizes, type RecurrentTensors } from './recurrent-tensors';
import { makeShaderDataDefinitions, makeStructuredView, type StructuredView } from './struct-views';

const TARGET_SUBMIT_SECONDS = 0.008;
const SCAN_WORKGROUP = 64;

const recurrentParams = makeShaderDataDefinitions(paramsSource).structs.RecurrentParams!;

/** The part of `RecurrentParams` that changes from dispatch to dispatch. */
interface DispatchParams {
  readonly tokens: number;
  readonly tokenStart: number;
  readonly tokenEnd: number;
  readonly chunkTokens: number;
  readonly chunkStart: number;
  readonly chunks: number;
}

/** One submit: a range of tokens or chunks of every head, or the scan over all chunks. */
export interface RecurrentStep {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly grid: readonly [number, number, number];
  readonly params: DispatchParams;
}

/** A view of `RecurrentParams` with the sizes of one call set. */
export function recurrentParamsView(rule: StateRule, shape: RecurrentShape): StructuredView {
  const padded = paddedSizes(rule, shape);
  const view = makeStructuredView(recurrentParams);
  view.set({
    keyVectors: padded.keySize / 4,
    valueVectors: padded.valueSize / 4,
    stateRows: padded.stateRows,
    decayRows: rule.type === 'retnet' ? shape.heads : shape.batch * shape.heads,
    decayRowStride: rule.type === 'retnet' ? 1 : shape.tokens,
    decayTokenStride: rule.type === 'retnet' ? 0 : 1,
  });
  return view;
}

/** [0, count) in equal ranges of about `TARGET_SUBMIT_SECONDS`, the last one shorter. */
function ranges(count: number, secondsEach: number): (readonly [number, number])[] {
  const perSubmit = Math.max(1, Math.floor(TARGET_SUBMIT_SECONDS / secondsEach));
  return Array.from({ length: Math.ceil(count / perSubmit) }, (_, i) => [
    i * perSubmit,
    Math.min(count, (i + 1) * perSubmit),
  ]);
}

/** A bind group of what a kernel declares: an automatic layout leaves out what it does not use. */
function bind(
  gpu: GpuDevice,
  pipeline: GPUComputePipeline,
  buffers: readonly (GPUBuffer | undefined)[],
): GPUBindGroup {
  return gpu.device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.flatMap((buffer, binding) =>
      buffer === undefined ? [] : [{ binding, resource: { buffer } }],
    ),
  });
}

/**
 * The submits of one run, and the buffer that holds the state after the last of them. Submits over
 * tokens hand the state on in two buffers by turns; a prefix is walked first, for its state only.
 */
export async function recurrentSteps(
  gpu: GpuDevice,
  tensors: RecurrentTensors,
  rule: StateRule,
  shape: RecurrentShape,
  plan: RecurrentPlan,
  uniform: GPUBuffer,
  gigaflopsPerSecond: number,
): Promise<{ readonly steps: readonly RecurrentStep[]; readonly lastState: GPUBuffer }> {
  const rows = shape.batch * shape.heads;
  const secondsPerToken = tokenFlops(rule, shape) / (gigaflopsPerSecond * 1e9);
  const steps: RecurrentStep[] = [];
  let state = tensors.initialState;
  const nextState = () => tensors.states[state === tensors.states[0] ? 1 : 0];
  const compile = (part: WalkPart) => gpu.settle(gpu.pipelines.get(plan.kernel(rule, shape, part)));
  const { query, key, value, decay, writeStrength, output, prefixKey, prefixValue } = tensors;

  const walkTokens = async (part: 'tokens' | 'prefix', tokens: number) => {
    const pipeline = await compile(part);
    for (const [tokenStart, tokenEnd] of ranges(tokens, secondsPerToken)) {
      const after = nextState();
      const buffers =
        part === 'tokens'
          ? [query, key, value, decay, writeStrength, state, output, after, uniform]
          : [undefined, prefixKey, prefixValue, decay, undefined, state, undefined, after, uniform];
      const chunkTokens = tokenEnd - tokenStart;
      steps.push({
        pipeline,
        bindings: bind(gpu, pipeline, buffers),
        grid: [plan.workgroups(shape), rows, 1],
        params: { tokens, tokenStart, tokenEnd, chunkTokens, chunkStart: 0, chunks: 1 },
      });
      state = after;
    }
  };

  const walkChunks = async (
    part: 'chunk states' | 'chunk outputs',
    chunkTokens: number,
    buffers: readonly (GPUBuffer | undefined)[],
  ) => {
    const pipeline = await compile(part);
    const chunks = Math.ceil(shape.tokens / chunkTokens);
    const bindings = bind(gpu, pipeline, buffers);
    for (const [chunkStart, chunkEnd] of ranges(chunks, secondsPerToken * chunkTokens)) {
      steps.push({
        pipeline,
        bindings,
        grid: [plan.workgroups(shape), rows, chunkEnd - chunkStart],
        params: {
          tokens: shape.tokens,
          tokenStart: chunkStart * chunkTokens,
          tokenEnd: shape.tokens,
          chunkTokens,
          chunkStart,
          chunks,
        },
      });
    }
  };

  if (rule.type === 'prefix-linear' && prefixKey !== undefined) {
    await walkTokens('prefix', rule.prefixTokens);
  }
  if (plan.chunkTokens === undefined) {
    await walkTokens('tokens', shape.tokens);
    return { steps, lastState: state };
  }
  const { chunkStates, chunkDecay } = tensors;
  const none = undefined;
  await walkChunks('chunk states', plan.chunkTokens, [
    none,
    key,
    value,
    decay,
    none,
    none,
    none,
    chunkStates,
    uniform,
    chunkDecay,
  ]);
  const after = nextState();
  const scan = await gpu.settle(
    gpu.pipelines.get({
      file: 'recurrent-scan.wgsl',
      overrides: { WORKGROUP: SCAN_WORKGROUP },
    }),
  );
  const padded = paddedSizes(rule, shape);
  steps.push({
    pipeline: scan,
    bindings: bind(gpu, scan, [chunkStates, chunkDecay, state, after, uniform]),
    grid: [Math.ceil((padded.stateRows * padded.keySize) / 4 / SCAN_WORKGROUP), rows, 1],
    params: steps.at(-1)!.params,
  });
  await walkChunks('chunk outputs', plan.chunkTokens, [
    query,
    key,
    value,
    decay,
    none,
    chunkStates,
    output,
    none,
    uniform,
  ]);
  return { steps, lastState: after };
}
