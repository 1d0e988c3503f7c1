import type { AdapterRoof, AttentionInputs, AttentionOutput } from '../attention/types';
import type { ChosenPlan } from './choose-plan';
import { candidateJobs, type PreparedJob } from './decode-jobs';
import type { DecodeRunner, StoredCall, StoredRun } from './decode-runner';
import { type GpuDevice, isDeviceLoss } from './device';
import { abortable, abortableResource } from './jobs';
import { measure } from './measure';
import type { AdapterKnowledge } from './run-attention';
import { WARMUP_RUNS } from './run-context';

/** Split-KV kernels over caches in f32 or 16 bits, contiguous or paged, and over packed ones. Chooses the f32 plan and measures the roof first. */
export async function decodeOnDevice(
  gpu: GpuDevice,
  {
    plans,
    roofs,
  }: {
    readonly plans: Pick<AdapterKnowledge['plans'], 'choose'>;
    readonly roofs: Pick<AdapterKnowledge['roofs'], 'get'>;
  },
  shape: AttentionInputs['shape'],
  signal: AbortSignal,
): Promise<DecodeRunner> {
  const chosen = await plans.choose(gpu, shape, signal);
  const roof: AdapterRoof = await abortable(roofs.get(gpu), signal);
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
  const { signal, report } = stored;
  const notes: string[] = [];
  const candidates = candidateJobs(gpu, chosen, stored, notes);
  for (const [i, prepare] of candidates.entries()) {
    const isLast = i === candidates.length - 1;
    try {
      report({ fraction: undefined, phase: 'compiling' });
      const job = await abortableResource(prepare(), signal, ({ destroy }) => destroy());
      const run = await measureJob(gpu, job, stored);
      if (isLast || run.kernelError?.withinTolerance !== false) {
        return { ...run, notes: [...notes, ...run.notes] };
      }
      notes.push(
        `${run.plan} was discarded: it differs from the f64 reference by ${run.kernelError.maxAbs.toExponential(1)}`,
      );
    } catch (error) {
      signal.throwIfAborted();
      if (isLast || isDeviceLoss(error)) throw error;
      notes.push(`a kernel was discarded: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error('no kernel for this storage');
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
      notes: job.notes ?? [],
    };
  } finally {
    job.destroy();
  }
}
