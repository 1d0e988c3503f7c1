import { makeShaderDataDefinitions, makeStructuredView } from 'webgpu-utils';
import { type LegendreInputs, legendrePowers } from '../attention/recurrent/legendre';
import { formatBytes, readFloats, storageBuffer, uniformBuffer } from './buffers';
import type { GpuDevice } from './device';
import type { KernelFile } from './kernel-table';
import paramsSource from './kernels/legendre-params.wgsl';
import { passTimestamps, type Stamps } from './measure';
import type { RecurrentJob } from './recurrent-job';

const CHUNK_TOKENS = 32;
const MAX_ORDER = 128;
const WORKGROUP = 64;
const TARGET_SUBMIT_SECONDS = 0.008;
/** Guess that decides the length of a submit. */
const GUESS_GIGAFLOPS = 2;
/** Submits that the device may have ahead of it. */
const SUBMITS_IN_FLIGHT = 2;

const legendreParams = makeShaderDataDefinitions(paramsSource).structs.LegendreParams!;

/** One dispatch; those of a submit run one after the other. */
interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly grid: readonly [number, number, number];
  readonly params: { readonly chunkStart: number; readonly tokenStart: number };
  readonly seconds: number;
}

/** [0, count) in ranges of about `TARGET_SUBMIT_SECONDS`. */
function ranges(count: number, secondsEach: number): (readonly [number, number])[] {
  const each = Math.max(1, Math.floor(TARGET_SUBMIT_SECONDS / secondsEach));
  return Array.from({ length: Math.ceil(count / each) }, (_, i) => [
    i * each,
    Math.min(count, (i + 1) * each),
  ]);
}

/** Steps in submits of about `TARGET_SUBMIT_SECONDS`, each of at least one; as [start, end). */
function submitsOf(steps: readonly Step[]): readonly (readonly [number, number])[] {
  const submits: (readonly [number, number])[] = [];
  let start = 0;
  let seconds = 0;
  for (const [i, step] of steps.entries()) {
    seconds += step.seconds;
    if (seconds < TARGET_SUBMIT_SECONDS && i + 1 < steps.length) continue;
    submits.push([start, i + 1]);
    start = i + 1;
    seconds = 0;
  }
  return submits;
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
    const local = await store('chunk sums', { bytes: chunks * stateBytes });
    const states = await store('chunk states', { bytes: chunks * stateBytes });
    const reads = await store('query powers', {
      bytes: rows * tokens * (order + CHUNK_TOKENS) * 4,
    });
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
    const scan = await bind('legendre-scan.wgsl', [power, local, states, last]);
    const queries = await bind('legendre-queries.wgsl', [query, power, impulse, reads]);
    const outputs = await bind('legendre-outputs.wgsl', [reads, value, states, output]);
    const state = rows * valueSize * order;
    const groups = (threads: number) => Math.ceil(threads / WORKGROUP);
    const seconds = (flops: number) => flops / (gigaflopsPerSecond * 1e9);
    /** Dispatches of one kernel over ranges of chunks or tokens. */
    const over = (
      kernel: Awaited<ReturnType<typeof bind>>,
      start: 'chunkStart' | 'tokenStart',
      count: number,
      flopsEach: number,
      grid: (count: number) => Step['grid'],
    ): Step[] =>
      ranges(count, seconds(flopsEach)).map(([first, end]) => ({
        ...kernel,
        grid: grid(end - first),
        params: { chunkStart: 0, tokenStart: 0, [start]: first },
        seconds: seconds(flopsEach) * (end - first),
      }));
    const steps: readonly Step[] = [
      ...over(adds, 'chunkStart', chunks, 2 * state * CHUNK_TOKENS, (count) => [
        groups(valueSize * order),
        rows,
        count,
      ]),
      ...Array.from({ length: chunks }, (_, chunkStart) => ({
        ...scan,
        grid: [groups(valueSize * order), rows, 1] as const,
        params: { chunkStart, tokenStart: 0 },
        seconds: seconds(2 * state * order),
      })),
      ...over(queries, 'tokenStart', tokens, 2 * rows * order * (order + CHUNK_TOKENS), (count) => [
        groups(order + CHUNK_TOKENS),
        count,
        rows,
      ]),
      ...over(
        outputs,
        'tokenStart',
        tokens,
        2 * rows * valueSize * (order + CHUNK_TOKENS),
        (count) => [groups(valueSize), count, rows],
      ),
    ];
    // Every dispatch reads the one uniform buffer, filled from this list in the order of the queue.
    const paramsBytes = view.arrayBuffer.byteLength;
    const list = new Uint8Array(steps.length * paramsBytes);
    for (const [i, { params }] of steps.entries()) {
      view.set({ ...sizes, ...params });
      list.set(new Uint8Array(view.arrayBuffer), i * paramsBytes);
    }
    const paramsList = await store('params', { data: list });
    const submits = submitsOf(steps);
    const submit = (
      [start, end]: readonly [number, number],
      stamps: Stamps | undefined,
      isFirst: boolean,
      isLast: boolean,
    ) => {
      const encoder = gpu.device.createCommandEncoder();
      for (let i = start; i < end; i++) {
        const step = steps[i]!;
        encoder.copyBufferToBuffer(paramsList, i * paramsBytes, uniform, 0, paramsBytes);
        const timestampWrites = passTimestamps(
          stamps,
          isFirst && i === start,
          isLast && i === end - 1,
        );
        const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
        pass.setPipeline(step.pipeline);
        pass.setBindGroup(0, step.bindings);
        pass.dispatchWorkgroups(...step.grid);
        pass.end();
      }
      gpu.device.queue.submit([encoder.finish()]);
      return gpu.device.queue.onSubmittedWorkDone();
    };
    return {
      submits: submits.length,
      destroy,
      run: async (stamps, signal) => {
        const inFlight: Promise<unknown>[] = [];
        try {
          for (const [i, range] of submits.entries()) {
            signal?.throwIfAborted();
            inFlight.push(submit(range, stamps, i === 0, i === submits.length - 1));
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
