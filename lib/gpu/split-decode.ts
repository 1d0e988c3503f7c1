import type { AttentionShape } from '../spec/kinds/attention';
import { bind } from './bind';
import { readFloats } from './buffers';
import type { GpuDevice } from './device';
import { passTimestamps, type Stamps } from './measure';
import type { OwnedBuffers } from './owned-buffers';
import { type DecodePlan, planSplits, rowsPerKvHead } from './plans';
import type { StructuredView } from './struct-views';
import { submitSlices } from './submit-slices';
import type { WgslSlots } from './wgsl';

const TARGET_SUBMIT_SECONDS = 0.008;
/** Submits that the device may have ahead of it: enough to stay busy, few enough to cancel. */
const SUBMITS_IN_FLIGHT = 2;
const MERGE_WORKGROUP = 64;
/** Largest finite value that stands for a masked row's LSE in the kernels. */
const MASKED_BELOW = -1e38;

/** A split-KV kernel bound to its tensors: run it as often as you like, then destroy it. */
export interface DecodeJob {
  readonly submits: number;
  readonly splits: number;
  /** Bytes of the keys and values on the device, with all that is needed to read them. */
  readonly cacheBytes: number;
  /** One run; checks `signal` between submits. */
  run(stamps: Stamps | undefined, signal?: AbortSignal): Promise<void>;
  /** Output [batch, queryHeads, queries, headSize] and LSE; -Infinity for a fully masked row. */
  read(): Promise<{ readonly output: Float32Array; readonly lse: Float32Array }>;
  destroy(): void;
}

export interface DecodeOptions {
  /** Estimated throughput of the plan here, which decides the length of a submit. */
  readonly gigaflopsPerSecond: number;
  /** Overrides the number of splits; for tests. */
  readonly splits?: number;
}

export interface SplitDecode extends DecodeOptions {
  readonly shape: AttentionShape;
  readonly plan: DecodePlan;
  readonly slots: WgslSlots;
  /** Bindings of the kernel before the partial outputs, and after the params. */
  readonly reads: readonly (GPUBuffer | GPUTextureView)[];
  readonly uniforms: readonly (GPUBuffer | GPUTextureView | GPUSampler)[];
  readonly view: StructuredView;
  /** Blocks of keys in the longest walk. */
  readonly entries: number;
  readonly cacheBytes: number;
}

/**
 * Binds a split-KV kernel and the merge of its parts by LSE (Dao et al. 2023, Flash-Decoding), and
 * cuts the heads into submits of about 8 ms. The kernel's bindings are `reads`, partial outputs
 * [rows, splits, headSize], partial LSE [rows, splits], params, `uniforms`.
 *
 * @param buffers takes the buffers made here; destroyed with the job
 */
export async function prepareSplitDecode(
  gpu: GpuDevice,
  buffers: OwnedBuffers,
  decode: SplitDecode,
): Promise<DecodeJob> {
  const { shape, plan, view } = decode;
  const rows = shape.batch * shape.queryHeads * shape.queries;
  const { splits, entriesPerSplit } =
    decode.splits === undefined
      ? planSplits(plan, shape, decode.entries)
      : {
          splits: decode.splits,
          entriesPerSplit: Math.max(1, Math.ceil(decode.entries / decode.splits)),
        };
  const rowBytes = shape.headSize * 4;
  const partial = await buffers.store('partial outputs', { bytes: rows * splits * rowBytes });
  const partialLse = await buffers.store('partial LSE', { bytes: rows * splits * 4 });
  const output = await buffers.store('output', { bytes: rows * rowBytes });
  const lse = await buffers.store('lse', { bytes: rows * 4 });
  const uniform = buffers.uniform(view.arrayBuffer.byteLength);
  const [pipeline, merge] = await gpu.settle(
    Promise.all([
      gpu.pipelines.get({ ...plan.kernel(shape), slots: decode.slots }),
      gpu.pipelines.get({ file: 'merge-splits.wgsl', overrides: { WORKGROUP: MERGE_WORKGROUP } }),
    ]),
  );
  const bindings = bind(gpu, pipeline, [
    ...decode.reads,
    partial,
    partialLse,
    uniform,
    ...decode.uniforms,
  ]);
  const mergeBindings = bind(gpu, merge, [partial, partialLse, output, lse, uniform]);
  const flopsPerHead = 4 * rowsPerKvHead(shape) * decode.entries * plan.blockKeys * shape.headSize;
  const slices = submitSlices(
    [flopsPerHead / (decode.gigaflopsPerSecond * 1e9)],
    shape.batch * shape.kvHeads,
    TARGET_SUBMIT_SECONDS,
    1,
  );
  const groups = Math.ceil(rowsPerKvHead(shape) / plan.rowsPerGroup) * plan.chunks(shape);
  const workgroups = Math.ceil(splits / plan.splitsPerWorkgroup);

  const submit = (index: number, stamps: Stamps | undefined) => {
    const { headStart, heads } = slices[index]!;
    const isLast = index === slices.length - 1;
    view.set({ headStart, splits, entriesPerSplit });
    gpu.device.queue.writeBuffer(uniform, 0, view.arrayBuffer);
    const encoder = gpu.device.createCommandEncoder();
    const timestampWrites = passTimestamps(stamps, index === 0, isLast);
    const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(workgroups, heads, groups);
    if (isLast) {
      pass.setPipeline(merge);
      pass.setBindGroup(0, mergeBindings);
      pass.dispatchWorkgroups(Math.ceil((rows * shape.headSize) / 4 / MERGE_WORKGROUP));
    }
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    return gpu.device.queue.onSubmittedWorkDone();
  };

  return {
    submits: slices.length,
    splits,
    cacheBytes: decode.cacheBytes,
    destroy: buffers.destroy,
    run: async (stamps, signal) => {
      const inFlight: Promise<unknown>[] = [];
      try {
        for (let i = 0; i < slices.length; i++) {
          signal?.throwIfAborted();
          inFlight.push(submit(i, stamps));
          if (inFlight.length >= SUBMITS_IN_FLIGHT) await gpu.settle(inFlight.shift()!);
        }
      } finally {
        await gpu.settle(Promise.all(inFlight));
      }
    },
    read: async () => {
      const values = await readFloats(gpu, output, rows * shape.headSize);
      const sums = await readFloats(gpu, lse, rows);
      return {
        output: values,
        lse: sums.map((each) => (each < MASKED_BELOW ? Number.NEGATIVE_INFINITY : each)),
      };
    },
  };
}
