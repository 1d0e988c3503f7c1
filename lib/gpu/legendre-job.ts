import { makeShaderDataDefinitions, makeStructuredView } from 'webgpu-utils';
import { type LegendreInputs, legendrePowers } from '../attention/recurrent/legendre';
import { formatBytes, readFloats, storageBuffer, uniformBuffer } from './buffers';
import type { GpuDevice } from './device';
import type { KernelFile } from './kernel-table';
import paramsSource from './kernels/legendre-params.wgsl';
import { passTimestamps, type Stamps } from './measure';
import type { RecurrentJob } from './recurrent-job';

/** Tokens of a chunk; `MAX_CHUNK` of legendre-outputs.wgsl. */
const CHUNK_TOKENS = 32;
/** `MAX_ORDER` of the kernels. */
const MAX_ORDER = 128;
const WORKGROUP = 64;
const TARGET_SUBMIT_SECONDS = 0.008;
/** Guess that decides the length of a submit. */
const GUESS_GIGAFLOPS = 2;
/** Submits that the device may have ahead of it. */
const SUBMITS_IN_FLIGHT = 2;

const legendreParams = makeShaderDataDefinitions(paramsSource).structs.LegendreParams!;

interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly grid: readonly [number, number, number];
  readonly params: {
    readonly chunkStart: number;
    readonly chunkEnd: number;
    readonly tokenStart: number;
  };
}

/** [0, count) in ranges of about `TARGET_SUBMIT_SECONDS`. */
function ranges(count: number, secondsEach: number): (readonly [number, number])[] {
  const each = Math.floor(TARGET_SUBMIT_SECONDS / secondsEach);
  const perSubmit = Math.min(32_768, Math.max(1, each));
  return Array.from({ length: Math.ceil(count / perSubmit) }, (_, i) => [
    i * perSubmit,
    Math.min(count, (i + 1) * perSubmit),
  ]);
}

/**
 * A Legendre memory on the device in chunks: what each chunk adds, the states before the chunks,
 * the outputs. The powers of the step are computed in f64 and uploaded.
 *
 * @throws RangeError where the order is above 128; Error with a sentence where a tensor exceeds the
 * adapter's largest buffer
 */
export async function prepareLegendre(
  gpu: GpuDevice,
  inputs: LegendreInputs,
  { gigaflopsPerSecond = GUESS_GIGAFLOPS }: { readonly gigaflopsPerSecond?: number } = {},
): Promise<RecurrentJob> {
  const { batch, heads, tokens, keySize: order, valueSize } = inputs.shape;
  if (order > MAX_ORDER) throw new RangeError(`invalid order: ${order} (expected 1..${MAX_ORDER})`);
  const rows = batch * heads;
  const chunks = Math.ceil(tokens / CHUNK_TOKENS);
  const { powers, response } = legendrePowers(inputs.step, CHUNK_TOKENS);
  const made: GPUBuffer[] = [];
  const store = async (name: string, content: Parameters<typeof storageBuffer>[2]) => {
    const bytes = 'data' in content ? content.data.byteLength : content.bytes;
    if (bytes > gpu.info.maxBufferBytes) {
      throw new Error(
        `${name} needs ${formatBytes(bytes)}, above the limit of ${formatBytes(gpu.info.maxBufferBytes)} per buffer`,
      );
    }
    const buffer = await storageBuffer(gpu, name, content);
    made.push(buffer);
    return buffer;
  };
  const destroy = () => {
    for (const buffer of made) buffer.destroy();
  };
  const upload = (name: string, data: Float32Array | Float64Array) =>
    store(name, { data: Float32Array.from(data) });
  try {
    const query = await upload('query', inputs.query);
    const value = await upload('value', inputs.value);
    const power = await upload('powers', powers);
    const impulse = await upload('impulse response', response);
    const stateBytes = rows * valueSize * order * 4;
    const local = await store('chunk states', { bytes: chunks * stateBytes });
    const last = await store('state', { bytes: stateBytes });
    const output = await store('output', { bytes: rows * tokens * valueSize * 4 });
    const view = makeStructuredView(legendreParams);
    const uniform = uniformBuffer(gpu, view.arrayBuffer.byteLength);
    made.push(uniform);
    const sizes = { tokens, chunkTokens: CHUNK_TOKENS, chunks, order, valueSize };

    const bind = async (file: KernelFile, buffers: readonly GPUBuffer[]) => {
      const pipeline = await gpu.settle(gpu.pipelines.get({ file, overrides: { WORKGROUP } }));
      const bindings = gpu.device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [...buffers, uniform].map((buffer, binding) => ({
          binding,
          resource: { buffer },
        })),
      });
      return { pipeline, bindings };
    };
    const adds = await bind('legendre-chunks.wgsl', [value, impulse, local]);
    const scan = await bind('legendre-scan.wgsl', [power, local, last]);
    const reads = await bind('legendre-outputs.wgsl', [
      query,
      value,
      power,
      impulse,
      local,
      output,
    ]);
    const state = rows * valueSize * order;
    const seconds = (flops: number) => flops / (gigaflopsPerSecond * 1e9);
    const all = { chunkStart: 0, chunkEnd: chunks, tokenStart: 0 };
    const steps: readonly Step[] = [
      ...ranges(chunks, seconds(2 * state * CHUNK_TOKENS)).map(([chunkStart, chunkEnd]) => ({
        ...adds,
        grid: [Math.ceil((valueSize * order) / WORKGROUP), rows, chunkEnd - chunkStart] as const,
        params: { ...all, chunkStart },
      })),
      ...ranges(chunks, seconds(2 * state * order)).map(([chunkStart, chunkEnd]) => ({
        ...scan,
        grid: [valueSize, rows, 1] as const,
        params: { ...all, chunkStart, chunkEnd },
      })),
      ...ranges(tokens, seconds(2 * rows * (order + valueSize) * (order + CHUNK_TOKENS))).map(
        ([tokenStart, tokenEnd]) => ({
          ...reads,
          grid: [tokenEnd - tokenStart, rows, 1] as const,
          params: { ...all, tokenStart },
        }),
      ),
    ];
    const submit = (step: Step, stamps: Stamps | undefined, isFirst: boolean, isLast: boolean) => {
      view.set({ ...sizes, ...step.params });
      gpu.device.queue.writeBuffer(uniform, 0, view.arrayBuffer);
      const encoder = gpu.device.createCommandEncoder();
      const timestampWrites = passTimestamps(stamps, isFirst, isLast);
      const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
      pass.setPipeline(step.pipeline);
      pass.setBindGroup(0, step.bindings);
      pass.dispatchWorkgroups(...step.grid);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      return gpu.device.queue.onSubmittedWorkDone();
    };
    return {
      submits: steps.length,
      destroy,
      run: async (stamps, signal) => {
        const inFlight: Promise<unknown>[] = [];
        try {
          for (const [i, step] of steps.entries()) {
            signal?.throwIfAborted();
            inFlight.push(submit(step, stamps, i === 0, i === steps.length - 1));
            if (inFlight.length >= SUBMITS_IN_FLIGHT) await gpu.settle(inFlight.shift()!);
          }
        } finally {
          await gpu.settle(Promise.all(inFlight));
        }
      },
      read: async () => ({
        output: await readFloats(gpu, output, rows * tokens * valueSize),
        state: await readFloats(gpu, last, state),
      }),
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
