import { countVisiblePairs } from '../attention/block-list';
import { compareOutputs } from '../attention/compare';
import { makeInputs } from '../attention/inputs';
import type { AttentionInputs, PlanChoice } from '../attention/types';
import {
  type AttentionShape,
  type AttentionVariant,
  attentionParams,
} from '../spec/kinds/attention';
import { type AttentionJob, prepareAttention } from './attention-job';
import { type GpuDevice, isDeviceLoss } from './device';
import { abortable } from './jobs';
import { measure } from './measure';
import { type AttentionPlan, candidatePlans, familyOf, rowsPerKvHead } from './plans';
import { ResidentAttention } from './resident';
import { fitsTexels } from './texels';
import { variantSlots } from './variant-slots';

/** A plan that was measured, and the throughput it reached. */
export interface ChosenPlan {
  readonly plan: AttentionPlan;
  /** The fastest of those that read buffers, for storages that no texture holds. */
  readonly forBuffers: Pick<ChosenPlan, 'plan' | 'gigaflopsPerSecond'>;
  readonly choice: PlanChoice;
  readonly gigaflopsPerSecond: number;
  /** Sentences about candidates that were discarded. */
  readonly discarded: readonly string[];
}

/** A probe shorter than this is dominated by launching; it grows until it is longer. */
const LONG_ENOUGH_SECONDS = 0.004;
const PROBE_TOKENS = { prefill: [256, 1024, 2048], decode: [4096, 16_384] } as const;
const FIRST_GUESS_GIGAFLOPS = 1;

/** One structure for all probes, so that each plan is compiled once: a causal window and sinks. */
function probeInputs(shape: AttentionShape, windowTokens: number): AttentionInputs {
  const variant: AttentionVariant = { type: 'window-sinks', windowTokens, sinkTokens: 3 };
  return makeInputs(attentionParams.parse({ shape, variant, seed: 7 }));
}

/** Small and ragged: two key ranges, GQA as in the real shape, rows and keys that fill no block. */
function verificationInputs(shape: AttentionShape): AttentionInputs {
  const group = shape.queryHeads / shape.kvHeads;
  const small = {
    batch: 1,
    queryHeads: Math.min(group, 4),
    kvHeads: 1,
    queries: familyOf(shape) === 'decode' ? shape.queries : 37,
    keys: 75,
    headSize: shape.headSize,
  };
  return probeInputs(small, 21);
}

/** Throws with a sentence where the plan does not compile or its output is off. */
async function verify(gpu: GpuDevice, plan: AttentionPlan, shape: AttentionShape): Promise<void> {
  const inputs = verificationInputs(shape);
  const resident = await ResidentAttention.upload(gpu, inputs);
  try {
    const job = await prepareAttention(gpu, resident, inputs, plan, {
      gigaflopsPerSecond: FIRST_GUESS_GIGAFLOPS,
    });
    try {
      await job.run(undefined);
    } finally {
      job.destroy();
    }
    const output = await resident.read(gpu);
    const error = compareOutputs(inputs, output, {
      maxFlops: Number.POSITIVE_INFINITY,
    });
    if (!error.withinTolerance) {
      throw new Error(`differs from the f64 reference by ${error.maxAbs.toExponential(1)}`);
    }
  } finally {
    resident.destroy();
  }
}

function probeShape(shape: AttentionShape, tokens: number): AttentionShape {
  return familyOf(shape) === 'decode'
    ? { ...shape, batch: 1, keys: tokens }
    : { ...shape, batch: 1, queryHeads: 4, kvHeads: 4, queries: tokens, keys: tokens };
}

/** Rounds of probes, each of every plan: at least, and at most while a round still finds shorter times. */
const ROUNDS = { least: 3, most: 8 };
/** A sample that is shorter by less than this is noise. */
const SHORTER = 0.9;

/** Plans in turn, so that what else runs on the machine meets all alike; fastest first. */
async function timePlans(
  gpu: GpuDevice,
  plans: readonly AttentionPlan[],
  shape: AttentionShape,
  signal: AbortSignal | undefined,
) {
  // A window as long as the keys: causal.
  const inputs = probeInputs(shape, shape.keys);
  const flops = 4 * shape.headSize * countVisiblePairs(inputs.program, shape).pairs;
  const resident = await ResidentAttention.upload(gpu, inputs);
  const jobs: AttentionJob[] = [];
  // The least disturbed sample of each: a probe has too few for a median to be steady.
  const shortest = plans.map(() => Number.POSITIVE_INFINITY);
  try {
    for (const plan of plans) {
      signal?.throwIfAborted();
      const job = await prepareAttention(gpu, resident, inputs, plan, {
        gigaflopsPerSecond: FIRST_GUESS_GIGAFLOPS,
      });
      jobs.push(job);
      await job.run(undefined, signal);
    }
    for (let round = 0, isShorter = true; round < ROUNDS.most; round++) {
      if (round >= ROUNDS.least && !isShorter) break;
      isShorter = false;
      for (const [i, job] of jobs.entries()) {
        const { medianSeconds } = await measure(gpu, (stamps) => job.run(stamps, signal), {
          runs: 1,
          warmupRuns: 0,
        });
        if (medianSeconds < SHORTER * shortest[i]!) isShorter = true;
        shortest[i] = Math.min(shortest[i]!, medianSeconds);
      }
    }
  } finally {
    for (const job of jobs) job.destroy();
    resident.destroy();
  }
  return plans
    .map((plan, i) => ({
      plan,
      seconds: shortest[i]!,
      gigaflopsPerSecond: flops / shortest[i]! / 1e9,
    }))
    .sort((a, b) => a.seconds - b.seconds);
}

/** Shapes of one class share a choice. */
function shapeClass(shape: AttentionShape): string {
  const family = familyOf(shape);
  return family === 'decode'
    ? `decode/${shape.headSize}/${rowsPerKvHead(shape)}/${shape.kvHeads}/${fitsTexels(shape)}`
    : `prefill/${shape.headSize}/${fitsTexels(shape)}`;
}

/**
 * Plans by adapter and class of shapes: every candidate is compiled, checked against the f64
 * reference and timed, once. What is fast on a GPU is slow on a software adapter and the other way
 * round, so nothing is assumed.
 */
export class PlanChooser {
  readonly #chosen = new Map<string, ChosenPlan>();

  async choose(
    gpu: GpuDevice,
    shape: AttentionShape,
    signal?: AbortSignal,
    onProgress?: (fraction: number) => void,
  ): Promise<ChosenPlan> {
    const key = JSON.stringify([gpu.info, shapeClass(shape)]);
    const known = this.#chosen.get(key);
    if (known !== undefined) return known;
    const discarded: string[] = [];
    const working: AttentionPlan[] = [];
    const candidates = candidatePlans(shape, gpu.info);
    // Compiles side by side; `verify` awaits each in turn and reports what fails.
    const slots = variantSlots(verificationInputs(shape).program);
    for (const plan of candidates) {
      gpu.pipelines.get({ ...plan.kernel(shape), slots }).catch(() => undefined);
    }
    for (const [i, plan] of candidates.entries()) {
      signal?.throwIfAborted();
      onProgress?.(i / (candidates.length + 1));
      const compiled = gpu.pipelines.get({ ...plan.kernel(shape), slots });
      await abortable(
        compiled.catch(() => undefined),
        signal,
      );
      try {
        await verify(gpu, plan, shape);
        working.push(plan);
      } catch (error) {
        if (isDeviceLoss(error)) throw error;
        discarded.push(
          `plan ${plan.id} was discarded: ${error instanceof Error ? error.message : error}`,
        );
      }
    }
    if (working.length === 0) throw new Error(`no kernel plan works here: ${discarded.join('; ')}`);
    let timings: Awaited<ReturnType<typeof timePlans>> = [];
    for (const tokens of PROBE_TOKENS[familyOf(shape)]) {
      timings = await timePlans(gpu, working, probeShape(shape, tokens), signal);
      if (timings[0]!.seconds >= LONG_ENOUGH_SECONDS) break;
    }
    const best = timings[0]!;
    const chosen: ChosenPlan = {
      plan: best.plan,
      forBuffers: timings.find(({ plan }) => plan.readsTexels !== true) ?? best,
      gigaflopsPerSecond: best.gigaflopsPerSecond,
      discarded,
      choice: {
        id: best.plan.id,
        label: best.plan.label,
        candidates: timings.map(({ plan, seconds }) => ({
          id: plan.id,
          milliseconds: seconds * 1000,
        })),
      },
    };
    this.#chosen.set(key, chosen);
    return chosen;
  }
}
