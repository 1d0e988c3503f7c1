import { checkShapeLimits } from '../attention/checks';
import { compareSteps } from '../attention/compare';
import { mismatchNotes } from '../attention/mismatch-notes';
import { attentionBytes } from '../attention/roofline';
import { prepareAttention } from './attention-job';
import type { PlanChooser } from './choose-plan';
import type { GpuDevice } from './device';
import { abortable, driveSteps, yieldToMessages } from './jobs';
import { measure } from './measure';
import { planBlockQueries } from './plans';
import { ResidentAttention } from './resident';
import { adapterKey, type RoofCache } from './roof';
import {
  type AttentionRun,
  CHECK_FLOPS,
  densityOf,
  listSummary,
  type RunContext,
  WARMUP_RUNS,
} from './run-context';
import { suitedPlan } from './suited-plan';

export interface AdapterKnowledge {
  readonly plans: PlanChooser;
  readonly roofs: RoofCache;
}

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
  if (context.isTimed) await abortable(roofs.get(gpu), signal);
  signal.throwIfAborted();

  report({ fraction: undefined, phase: 'block list' });
  const resident = await ResidentAttention.upload(gpu, inputs);
  try {
    const {
      plan,
      gigaflopsPerSecond: planned,
      choice,
      notes: gaveWay,
    } = await suitedPlan(gpu, resident, chosen);
    const job = await prepareAttention(gpu, resident, inputs, plan, {
      gigaflopsPerSecond: planned,
      signal,
    });
    // In textures alone; the keys' buffer is for maps.
    if (plan.readsTexels === true) resident.release('value');
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
      const error = await driveSteps(
        compareSteps(inputs, output, { maxFlops: CHECK_FLOPS }),
        signal,
        (fraction) => report({ fraction, phase: 'checking' }),
      );
      const { flops, ...density } = densityOf(context, job.list);
      const gigaflopsPerSecond = flops / measured.medianSeconds / 1e9;
      const timing = { ...measured, flops, gigaflopsPerSecond };
      const bytes = attentionBytes(params.shape, density.elements);
      const notes = [
        ...chosen.discarded,
        ...gaveWay,
        ...(gpu.info.isFallback ? ['software adapter: these times say nothing about a GPU'] : []),
        ...(job.splits === undefined
          ? []
          : [`keys split ${job.splits} ways, partial results merged by their LSE`]),
        ...mismatchNotes(inputs, error),
      ];
      return {
        result: {
          params,
          engine: 'webgpu',
          engineNote: undefined,
          adapter: gpu.info,
          plan: choice,
          error,
          timing,
          ...roofs.place(adapterKey(gpu.info), timing, bytes),
          density,
          selection: context.selection,
          blockList: listSummary(job.list, planBlockQueries(plan, params.shape), plan.blockKeys),
          notes,
        },
        output,
        resident: { inputs, lse: output.lse, output: undefined, device: resident },
      };
    } finally {
      job.destroy();
      // What stays is for maps and for saving.
      resident.release('value', 'texels');
    }
  } catch (error) {
    resident.destroy();
    throw error;
  }
}
