import type { DecodeCall } from '../attention/decode/call';
import { fillPool, summarisePages } from '../attention/decode/pages';
import type { AdapterRoof, AttentionInputs, AttentionOutput } from '../attention/types';
import { prepareAttention } from './attention-job';
import type { ChosenPlan } from './choose-plan';
import { f32ReadBytes, readShare } from './decode-reads';
import type { DecodeRunner, StoredCall, StoredRun } from './decode-runner';
import { type GpuDevice, isDeviceLoss } from './device';
import { measure } from './measure';
import { preparePaged } from './paged-job';
import type { DecodeKernel } from './quantised-job';
import { prepareQuantised } from './quantised-job';
import { ResidentAttention } from './resident';
import type { AdapterKnowledge } from './run-attention';
import { WARMUP_RUNS } from './run-context';
import type { DecodeJob } from './split-decode';

/** A job with what is told of it. */
interface PreparedJob extends Pick<DecodeJob, 'submits' | 'splits' | 'run' | 'read' | 'destroy'> {
  readonly plan: string;
  readonly readBytes: number;
}

/** Split-KV kernels over f32, packed or paged caches. Chooses the f32 plan and measures the roof first. */
export async function decodeOnDevice(
  gpu: GpuDevice,
  { plans, roofs }: AdapterKnowledge,
  shape: AttentionInputs['shape'],
  signal: AbortSignal,
): Promise<DecodeRunner> {
  const chosen = await plans.choose(gpu, shape, signal);
  const roof: AdapterRoof = await roofs.get(gpu);
  signal.throwIfAborted();
  return {
    engine: 'webgpu',
    engineNote: undefined,
    adapter: gpu.info,
    roof,
    maxBufferBytes: gpu.info.maxBufferBytes,
    notes: [
      ...chosen.discarded,
      ...(gpu.info.isFallback ? ['software adapter: these times say nothing about a GPU'] : []),
    ],
    run: (stored) => runOnDevice(gpu, chosen, stored),
  };
}

/** The first kernel that compiles and is right; what the others did wrong becomes a note. */
async function runOnDevice(
  gpu: GpuDevice,
  chosen: ChosenPlan,
  stored: StoredCall,
): Promise<StoredRun> {
  const notes: string[] = [];
  const candidates = candidateJobs(gpu, chosen, stored, notes);
  for (const [i, prepare] of candidates.entries()) {
    const isLast = i === candidates.length - 1;
    try {
      const run = await measureJob(gpu, await prepare(), stored);
      if (isLast || run.kernelError?.withinTolerance !== false) {
        return { ...run, notes: [...notes, ...run.notes] };
      }
      notes.push(
        `${run.plan} was discarded: it differs from the f64 reference by ${run.kernelError.maxAbs.toExponential(1)}`,
      );
    } catch (error) {
      stored.signal.throwIfAborted();
      if (isLast || isDeviceLoss(error)) throw error;
      notes.push(`a kernel was discarded: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error('no kernel for this storage');
}

function candidateJobs(
  gpu: GpuDevice,
  chosen: ChosenPlan,
  { call, key, value, parts }: StoredCall,
  notes: string[],
): readonly (() => Promise<PreparedJob>)[] {
  const { splits } = call.params;
  const options = {
    gigaflopsPerSecond: chosen.gigaflopsPerSecond,
    ...(splits === 0 ? {} : { splits }),
  };
  // What suits f32 on this adapter, registers or workgroup memory, suits packed keys too.
  const others: readonly DecodeKernel[] = chosen.plan.needsSubgroups ? ['quad', 'tile'] : ['tile'];
  if (call.pages !== undefined) {
    return others.map((kernel) => () => pagedJob(gpu, call, kernel, options));
  }
  const [inputs] = parts as [AttentionInputs];
  if (key.quantised !== undefined && value.quantised !== undefined) {
    const packed = { ...inputs, key: key.quantised, value: value.quantised };
    return others.map((kernel) => async () => {
      const job = await prepareQuantised(gpu, packed, kernel, options);
      const readBytes = job.cacheBytes * readShare(inputs, BLOCK_KEYS[kernel]);
      return { ...job, plan: `split-KV over packed keys and values (${kernel})`, readBytes };
    });
  }
  if (key.quantised !== undefined || value.quantised !== undefined) {
    notes.push(
      'a cache with one packed and one f32 tensor has no kernel of its own: the f32 kernel read dequantised values, and its times are those of f32',
    );
  }
  return [() => f32Job(gpu, chosen, inputs, options)];
}

/** Keys per block that the kernels walk. */
const BLOCK_KEYS: Readonly<Record<DecodeKernel, number>> = { quad: 32, tile: 64 };

type Options = Parameters<typeof prepareAttention>[4];

async function f32Job(
  gpu: GpuDevice,
  { plan }: ChosenPlan,
  inputs: AttentionInputs,
  options: Options,
): Promise<PreparedJob> {
  const resident = await ResidentAttention.upload(gpu, inputs);
  try {
    const job = await prepareAttention(gpu, resident, inputs, plan, options);
    return {
      ...job,
      splits: job.splits ?? 1,
      plan: plan.label,
      readBytes: f32ReadBytes([inputs], plan.blockKeys),
      read: () => resident.read(gpu),
      destroy: () => {
        job.destroy();
        resident.destroy();
      },
    };
  } catch (error) {
    resident.destroy();
    throw error;
  }
}

async function pagedJob(
  gpu: GpuDevice,
  { params, inputs, pages }: DecodeCall,
  kernel: DecodeKernel,
  options: Options,
): Promise<PreparedJob> {
  if (pages === undefined || params.layout.type !== 'paged') throw new Error('no pages');
  const { shape } = params;
  const { pageTokens } = params.layout;
  const job = await preparePaged(
    gpu,
    {
      shape,
      query: inputs.query,
      keyPool: fillPool(pages, inputs.key, shape),
      valuePool: fillPool(pages, inputs.value, shape),
      pageTokens,
      blockTable: pages.blockTable,
      lengths: pages.lengths,
      isCausal: params.variant.type === 'causal',
    },
    kernel,
    options,
  );
  const { pageBytes, tableBytes } = summarisePages(pages, 8 * shape.kvHeads * shape.headSize);
  return {
    ...job,
    plan: `split-KV over pages of ${pageTokens} tokens (${kernel})`,
    readBytes: pageBytes + tableBytes,
  };
}

async function measureJob(
  gpu: GpuDevice,
  job: PreparedJob,
  { call, check, signal, report }: StoredCall,
): Promise<StoredRun & { readonly plan: string }> {
  const { timedRuns: runs } = call.params;
  try {
    const measured = await measure(gpu, (stamps) => job.run(stamps, signal), {
      runs,
      warmupRuns: WARMUP_RUNS,
      onRun: (done) =>
        report({
          fraction: done / (runs + WARMUP_RUNS),
          phase: done < WARMUP_RUNS ? 'warm-up' : 'timing',
        }),
    });
    const output: AttentionOutput = await job.read();
    const { plan, splits, submits, readBytes } = job;
    return {
      ...output,
      ...measured,
      plan,
      splits,
      submits,
      readBytes,
      kernelError: check(output),
      notes: [],
    };
  } finally {
    job.destroy();
  }
}
