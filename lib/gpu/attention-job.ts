import type { AttentionInputs } from '../attention/types';
import { bind } from './bind';
import { storageBuffer, uniformBuffer } from './buffers';
import type { GpuDevice } from './device';
import { abortable } from './jobs';
import { fillWords, withWords } from './mask-bits';
import { passTimestamps, type Stamps } from './measure';
import { type PackedBlockList, packBlockList } from './packed-list';
import { attentionParamsView, type DispatchParams } from './params';
import {
  type AttentionPlan,
  type DecodePlan,
  planBlockQueries,
  planSplits,
  rowsPerKvHead,
} from './plans';
import type { ResidentAttention } from './resident';
import { STORED_FILES } from './stored';
import { submitSlices } from './submit-slices';
import { variantSlots } from './variant-slots';
import type { WgslReplaced } from './wgsl';

const TARGET_SUBMIT_SECONDS = 0.008;
/** Fewer workgroups than this leave processors idle, which costs more than a longer submit. */
const MINIMUM_WORKGROUPS = 4;
/** Submits that the device may have ahead of it: enough to stay busy, few enough to cancel. */
const SUBMITS_IN_FLIGHT = 2;
/** A submit beyond this is alone: what a gap costs is little of it, and a cancel waits for it. */
const LONG_SUBMIT_SECONDS = 2 * TARGET_SUBMIT_SECONDS;

/** Workgroups of a submit at least: a software adapter has no more processors than the machine. */
const minimumWorkgroups = ({ info }: GpuDevice): number =>
  info.isFallback
    ? Math.min(MINIMUM_WORKGROUPS, Math.max(1, navigator.hardwareConcurrency || 1))
    : MINIMUM_WORKGROUPS;

/** The included file that takes the mask of partial blocks from bits. */
const MASK_BY_WORDS: WgslReplaced = { 'mask-formula.wgsl': 'mask-words.wgsl' };

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly grid: readonly [number, number, number];
}

/** One submit. */
interface Step {
  readonly params: DispatchParams;
  readonly dispatches: readonly Dispatch[];
  /** Submits not yet done, this one included, beside which another may be sent. */
  readonly inFlight: number;
}

/** A plan bound to resident tensors: run it as often as you like, then destroy it. */
export interface AttentionJob {
  readonly list: PackedBlockList;
  readonly submits: number;
  readonly splits: number | undefined;
  /** One run; checks `signal` between submits. */
  run(stamps: Stamps | undefined, signal?: AbortSignal): Promise<void>;
  destroy(): void;
}

export interface JobOptions {
  /** Estimated throughput of the plan here, which decides the length of a submit. */
  readonly gigaflopsPerSecond: number;
  /** Overrides the number of splits of a decode plan; for tests. */
  readonly splits?: number;
  /** Stops waiting for compilers, and the making of mask bits between submits. */
  readonly signal?: AbortSignal;
}

/** Builds the block list, uploads it, compiles the plan's kernel and cuts the work into submits. */
export async function prepareAttention(
  gpu: GpuDevice,
  resident: ResidentAttention,
  inputs: AttentionInputs,
  plan: AttentionPlan,
  options: JobOptions,
): Promise<AttentionJob> {
  const { shape } = inputs;
  const list = packBlockList(
    inputs,
    planBlockQueries(plan, shape),
    plan.blockKeys,
    plan.family === 'decode' ? shape.kvHeads : shape.queryHeads,
  );
  const words = withWords(plan, inputs.program, list);
  // One kernel for all masks that come as bits.
  const slots = variantSlots(
    words === undefined ? inputs.program : { ...inputs.program, mask: undefined },
  );
  const replaced = {
    ...STORED_FILES[resident.storage],
    ...(words === undefined ? {} : MASK_BY_WORDS),
  };
  const owned: GPUBuffer[] = [];
  const own = async (pending: Promise<GPUBuffer>) => {
    const buffer = await pending;
    owned.push(buffer);
    return buffer;
  };
  const view = attentionParamsView(shape, inputs.program, {
    listStride: list.stride,
    listHeadStride: list.headStride,
    wordRows: words?.wordRows ?? 0,
  });
  const settled = <T>(pending: Promise<T>) => abortable(gpu.settle(pending), options.signal);
  const destroy = () => {
    for (const buffer of owned) buffer.destroy();
  };
  try {
    const listRows = await own(storageBuffer(gpu, 'block list rows', { data: list.rows }));
    const entries = await own(storageBuffer(gpu, 'block list', { data: (words ?? list).entries }));
    const uniform = uniformBuffer(gpu, view.arrayBuffer.byteLength);
    owned.push(uniform);
    const writeParams = (params: DispatchParams) => {
      view.set(params);
      gpu.device.queue.writeBuffer(uniform, 0, view.arrayBuffer);
    };
    const { query, tables } = resident;
    if (words !== undefined) {
      await fillWords(
        gpu,
        inputs.program,
        words,
        { tables, listRows, entries, uniform },
        {
          blockQueries: planBlockQueries(plan, shape),
          blockKeys: plan.blockKeys,
          writeParams,
          signal: options.signal,
        },
      );
    }
    const texels = plan.readsTexels === true ? await resident.texels(gpu) : undefined;
    const key = texels?.key.createView() ?? resident.key;
    const value = texels?.value.createView() ?? resident.value;
    const read = [query, key, value, tables, listRows, entries];
    // Without filtering.
    const sampler = texels === undefined ? [] : [gpu.device.createSampler()];
    const secondsPerEntry = (rows: number) =>
      (4 * rows * plan.blockKeys * shape.headSize) / (options.gigaflopsPerSecond * 1e9);

    const prefillSteps = async (blockQueries: number): Promise<Step[]> => {
      const pipeline = await settled(gpu.pipelines.get({ ...plan.kernel(shape), slots, replaced }));
      const bindings = bind(gpu, pipeline, [
        ...read,
        resident.output,
        resident.lse,
        uniform,
        ...sampler,
      ]);
      const seconds = Float64Array.from(
        list.blockEntries,
        (n) => n * secondsPerEntry(blockQueries),
      );
      return submitSlices(
        seconds,
        shape.batch * shape.queryHeads,
        TARGET_SUBMIT_SECONDS,
        minimumWorkgroups(gpu),
      ).map(({ blockStart, headStart, blocks, heads, seconds }) => ({
        params: { blockStart, headStart },
        inFlight: seconds > LONG_SUBMIT_SECONDS ? 1 : SUBMITS_IN_FLIGHT,
        dispatches: [{ pipeline, bindings, grid: [blocks, heads, plan.chunks(shape)] as const }],
      }));
    };

    const decodeSteps = async (decode: DecodePlan, splits: number, entriesPerSplit: number) => {
      const rows = shape.batch * shape.queryHeads * shape.queries;
      const bytes = rows * splits * shape.headSize * 4;
      const partial = await own(storageBuffer(gpu, 'partial outputs', { bytes }));
      const partialLse = await own(storageBuffer(gpu, 'partial LSE', { bytes: rows * splits * 4 }));
      const [pipeline, merge] = await settled(
        Promise.all([
          gpu.pipelines.get({ ...decode.kernel(shape), slots, replaced }),
          gpu.pipelines.get({ file: 'merge-splits.wgsl', overrides: { WORKGROUP: 64 } }),
        ]),
      );
      const bindings = bind(gpu, pipeline, [...read, partial, partialLse, uniform, ...sampler]);
      const groups = Math.ceil(rowsPerKvHead(shape) / decode.rowsPerGroup) * decode.chunks(shape);
      const workgroups = Math.ceil(splits / decode.splitsPerWorkgroup);
      const slices = submitSlices(
        [(list.blockEntries[0] ?? 0) * secondsPerEntry(rowsPerKvHead(shape))],
        shape.batch * shape.kvHeads,
        TARGET_SUBMIT_SECONDS,
        1,
      );
      const merging: Dispatch = {
        pipeline: merge,
        bindings: bind(gpu, merge, [partial, partialLse, resident.output, resident.lse, uniform]),
        grid: [Math.ceil((rows * shape.headSize) / 4 / 64), 1, 1],
      };
      return slices.map(
        ({ headStart, heads, seconds }, i): Step => ({
          params: { headStart, splits, entriesPerSplit },
          inFlight: seconds > LONG_SUBMIT_SECONDS ? 1 : SUBMITS_IN_FLIGHT,
          dispatches: [
            { pipeline, bindings, grid: [workgroups, heads, groups] },
            ...(i === slices.length - 1 ? [merging] : []),
          ],
        }),
      );
    };

    let splits: number | undefined;
    let steps: readonly Step[];
    if (plan.family === 'prefill') steps = await prefillSteps(plan.blockQueries);
    else {
      const count = list.blockEntries[0] ?? 0;
      const choice =
        options.splits === undefined
          ? planSplits(plan, shape, count)
          : {
              splits: options.splits,
              entriesPerSplit: Math.max(1, Math.ceil(count / options.splits)),
            };
      splits = choice.splits;
      steps = await decodeSteps(plan, choice.splits, choice.entriesPerSplit);
    }

    const submit = (step: Step, stamps: Stamps | undefined, isFirst: boolean, isLast: boolean) => {
      writeParams(step.params);
      const encoder = gpu.device.createCommandEncoder();
      const timestampWrites = passTimestamps(stamps, isFirst, isLast);
      const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
      for (const { pipeline, bindings, grid } of step.dispatches) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindings);
        pass.dispatchWorkgroups(...grid);
      }
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      return gpu.device.queue.onSubmittedWorkDone();
    };

    return {
      list,
      submits: steps.length,
      splits,
      destroy,
      run: async (stamps, signal) => {
        const inFlight: Promise<unknown>[] = [];
        try {
          for (const [i, step] of steps.entries()) {
            signal?.throwIfAborted();
            inFlight.push(submit(step, stamps, i === 0, i === steps.length - 1));
            while (inFlight.length >= step.inFlight) await gpu.settle(inFlight.shift()!);
          }
        } finally {
          await gpu.settle(Promise.all(inFlight));
        }
      },
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
