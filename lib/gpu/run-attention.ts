import { countVisiblePairs } from '../attention/block-list';
import { checkShapeLimits } from '../attention/checks';
import { compareOutputs } from '../attention/compare';
import { referenceSteps } from '../attention/reference';
import type { AttentionInputs, AttentionResult } from '../attention/types';
import type { OnProgress } from '../run/worker-api';
import type { AttentionParams } from '../spec/kinds/attention';
import { prepareAttention } from './attention-job';
import type { PlanChooser } from './choose-plan';
import type { GpuDevice } from './device';
import { driveSteps, yieldToMessages } from './jobs';
import { measure } from './measure';
import { planBlockQueries } from './plans';
import { ResidentAttention } from './resident';
import type { ResidentCall } from './residents';
import type { RoofCache } from './roof';
import { type PackedBlockList, packBlockList } from './row-ranges';

/** The comparison with the f64 reference blocks the worker; this much arithmetic takes about 0.1 s. */
const CHECK_FLOPS = 1e8;
const WARMUP_RUNS = 1;
const CPU_BLOCK = 64;

export interface RunContext {
  readonly params: AttentionParams;
  readonly inputs: AttentionInputs;
  readonly signal: AbortSignal;
  readonly report: OnProgress;
  /** False where only the tensors are wanted: one run, no roof. */
  readonly isTimed: boolean;
}

export interface AttentionRun {
  readonly result: AttentionResult;
  readonly resident: ResidentCall;
}

export interface AdapterKnowledge {
  readonly plans: PlanChooser;
  readonly roofs: RoofCache;
}

function densityOf({ params, inputs }: RunContext, list: PackedBlockList) {
  const { batch, queries, keys, headSize, queryHeads } = params.shape;
  const pairs = countVisiblePairs(params.variant, params.shape, inputs.documents);
  return {
    flops: 4 * headSize * queryHeads * pairs,
    elements: pairs / (batch * queries * keys),
    blocks: (list.full + list.partial) / list.total,
  };
}

const listSummary = (list: PackedBlockList, blockQueries: number, blockKeys: number) => ({
  blockQueries,
  blockKeys,
  full: list.full,
  partial: list.partial,
  total: list.total,
});

/** Runs on the device: plan, warm-up, timed runs, read-back, comparison. Throws sentences. */
export async function runOnDevice(
  gpu: GpuDevice,
  { plans, roofs }: AdapterKnowledge,
  context: RunContext,
): Promise<AttentionRun> {
  const { params, inputs, signal, report } = context;
  const issues = checkShapeLimits(params.shape, gpu.info.maxBufferBytes);
  if (issues.length > 0) throw new Error(issues.join('; '));

  report({ fraction: undefined, phase: 'plan' });
  const chosen = await plans.choose(gpu, params.shape, signal, (fraction) =>
    report({ fraction, phase: 'plan' }),
  );
  const { plan } = chosen;
  if (context.isTimed) await roofs.get(gpu);
  signal.throwIfAborted();

  report({ fraction: undefined, phase: 'block list' });
  const resident = await ResidentAttention.upload(gpu, inputs, params.variant);
  try {
    const job = await prepareAttention(gpu, resident, inputs, params.variant, plan, {
      gigaflopsPerSecond: chosen.gigaflopsPerSecond,
    });
    const runs = context.isTimed ? params.timedRuns : 1;
    const warmupRuns = context.isTimed ? WARMUP_RUNS : 0;
    try {
      report({ fraction: 0, phase: warmupRuns > 0 ? 'warm-up' : 'timing' });
      const measured = await measure(gpu, (stamps) => job.run(stamps, signal), {
        runs,
        warmupRuns,
        onRun: (done) =>
          report({
            fraction: done / (runs + warmupRuns),
            phase: done < warmupRuns ? 'warm-up' : 'timing',
          }),
      });
      report({ fraction: undefined, phase: 'checking' });
      const output = await resident.read(gpu);
      await yieldToMessages();
      signal.throwIfAborted();
      const error = compareOutputs(inputs, params.variant, output, { maxFlops: CHECK_FLOPS });
      const { flops, ...density } = densityOf(context, job.list);
      const gigaflopsPerSecond = flops / measured.medianSeconds / 1e9;
      const roof = roofs.raise(gpu.info, gigaflopsPerSecond);
      const notes = [
        ...chosen.discarded,
        ...(gpu.info.isFallback ? ['software adapter: these times say nothing about a GPU'] : []),
        ...(job.splits === undefined
          ? []
          : [`keys split ${job.splits} ways, partial results merged by their LSE`]),
        ...(error.withinTolerance
          ? []
          : [`output differs from the f64 reference by ${error.maxAbs.toExponential(1)}`]),
      ];
      return {
        result: {
          params,
          engine: 'webgpu',
          engineNote: undefined,
          adapter: gpu.info,
          plan: chosen.choice,
          error,
          timing: { ...measured, flops, gigaflopsPerSecond },
          roof,
          percentOfRoof:
            roof === undefined
              ? undefined
              : (100 * gigaflopsPerSecond) / roof.matmulGigaflopsPerSecond,
          density,
          blockList: listSummary(job.list, planBlockQueries(plan, params.shape), plan.blockKeys),
          notes,
        },
        resident: { inputs, lse: output.lse, device: resident },
      };
    } finally {
      job.destroy();
    }
  } catch (error) {
    resident.destroy();
    throw error;
  }
}

/** Runs the f64 reference on the CPU, once. `engineNote` says why where WebGPU was allowed. */
export async function runOnCpu(
  context: RunContext,
  engineNote: string | undefined,
): Promise<AttentionRun> {
  const { params, inputs, signal, report } = context;
  const start = performance.now();
  const { lse } = await driveSteps(referenceSteps(inputs, params.variant), signal, (fraction) =>
    report({ fraction, phase: 'timing' }),
  );
  const seconds = (performance.now() - start) / 1000;
  const list = packBlockList(inputs, params.variant, CPU_BLOCK, CPU_BLOCK);
  const { flops, ...density } = densityOf(context, list);
  return {
    result: {
      params,
      engine: 'cpu',
      engineNote,
      adapter: undefined,
      plan: undefined,
      error: undefined,
      timing: {
        medianSeconds: seconds,
        samplesSeconds: [seconds],
        warmupRuns: 0,
        clock: 'performance.now',
        flops,
        gigaflopsPerSecond: flops / seconds / 1e9,
      },
      roof: undefined,
      percentOfRoof: undefined,
      density,
      blockList: listSummary(list, CPU_BLOCK, CPU_BLOCK),
      notes: ['the CPU reference computes in f64 and runs once; it is not a tuned CPU kernel'],
    },
    resident: { inputs, lse, device: undefined },
  };
}
