import '../../spec/zod-config';
import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import type { HardwareProfile } from '../../spec/kinds/serve-profile';
import { simulate } from '../core/simulation';
import { calibratedCostModel, calibrationOf } from '../cost/calibrated';
import { largestGraphTokens } from '../cost/cuda-graphs';
import { type OpTableFiles, readOpTables } from '../cost/op-tables/files';
import { weightBytesByOperator } from '../cost/op-tables/memory-floor';
import { opTablesCostModel } from '../cost/op-tables/op-tables';
import { profileCostModel } from '../cost/profile';
import { linkOf } from '../presets/links';
import type { CostModel, ServeResult } from '../types';
import type { EngineSettings } from './engine-settings';
import type { JsonObject } from './json-lines';
import { type MeasuredRun, workloadOfRun } from './measured-run';

/** Signed errors of the simulation, (simulated / measured - 1) x 100, times from arrival. */
export interface VllmCheck {
  readonly tpotMeanPct: number;
  readonly e2eMeanPct: number;
  readonly ttftMeanPct: number;
  readonly makespanPct: number;
  readonly requests: number;
  readonly iterations: number;
  readonly costModel: string;
  readonly kvBlocks: number;
  readonly preemptions: number;
  readonly prefixHitPct: number;
  /** Where the cost model's figures come from, and what was changed of them. */
  readonly source: string;
  readonly notes: readonly string[];
}

/** The cost model of the tables for these settings. @throws Error naming file, line and value */
export function tablesCostModel(files: OpTableFiles, settings: EngineSettings): CostModel {
  const { model, hardware, tensorParallel } = settings;
  return opTablesCostModel(readOpTables(files, tensorParallel), {
    layers: model.layers,
    hiddenSize: model.hiddenSize,
    bytesPerElement: model.bytesPerWeight,
    experts: model.experts,
    link:
      hardware === undefined
        ? { bytesPerSecond: 32e9, latencySeconds: 10e-6, source: 'PCIe 4.0 x16 and 10 us' }
        : linkOf(hardware, settings.engineVersion),
    sharedExperts: settings.sharedExperts === 'none' ? undefined : settings.sharedExperts,
    memoryFloor:
      hardware === undefined
        ? undefined
        : {
            bytesPerSecond: hardware.bandwidthBytesPerSecond,
            weightBytes: weightBytesByOperator(model, tensorParallel),
          },
    largestGraphTokens: graphTokens(settings),
  });
}

function graphTokens({ cudaGraphs, maxSequences, maxBatchedTokens }: EngineSettings): number {
  return cudaGraphs ? largestGraphTokens(maxSequences, maxBatchedTokens) : 0;
}

/**
 * The cost model without tables: shares of the data sheet that other accelerators reach.
 * @throws Error when the accelerator is not known
 */
export function analyticCostModel(settings: EngineSettings): CostModel {
  const { model, hardware, tensorParallel } = settings;
  if (hardware === undefined)
    throw new Error('unknown gpu: pass its name with --gpu NAME, or its tables with --tables DIR');
  return calibratedCostModel(model, hardware, calibrationOf(hardware), {
    tensorParallel,
    link: linkOf(hardware, settings.engineVersion),
    largestGraphTokens: graphTokens(settings),
  });
}

/**
 * The cost model of a fitted profile for these settings.
 * @throws Error where the profile is of another tensor-parallel degree than the run
 */
export function fittedCostModelOf(profile: HardwareProfile, settings: EngineSettings): CostModel {
  if (profile.law === 'operators' && profile.tensorParallel !== settings.tensorParallel)
    throw new Error(
      `the profile is of tensorParallel ${profile.tensorParallel}, the run of ${settings.tensorParallel}`,
    );
  return profileCostModel(profile, graphTokens(settings));
}

/** The serve params that replay a run with these settings. */
export function paramsOf(settings: EngineSettings): ServeParams {
  const { kvBlocks, blockTokens, tensorParallel, order } = settings;
  return serveParams.parse({
    tensorParallel,
    strategy: {
      type: 'vllm-v1',
      replicas: settings.replicas,
      sharedExperts: settings.sharedExperts,
      maxBatchedTokens: settings.maxBatchedTokens,
      maxSequences: settings.maxSequences,
      longPrefillTokens: settings.longPrefillTokens,
      chunkedPrefill: settings.chunkedPrefill,
      prefixCaching: settings.prefixCaching,
      reservePrompt: settings.reservePrompt,
      asyncScheduling: settings.asyncScheduling,
      cudaGraphs: settings.cudaGraphs,
      order,
    },
    memory: { kvBlocks, blockTokens },
    horizonSeconds: 1e7,
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** When the first and the last token of each request came, in seconds from the first arrival. */
export interface Times {
  readonly firstTokenSeconds: Float64Array;
  readonly lastTokenSeconds: Float64Array;
}

/** Means over the requests, in seconds; requests of one token have no TPOT. */
function means({ arrivalSeconds, outputTokens }: MeasuredRun, times: Times) {
  const { firstTokenSeconds: first, lastTokenSeconds: last } = times;
  const ids = Array.from(arrivalSeconds.keys());
  return {
    ttft: mean(ids.map((i) => (first[i] as number) - (arrivalSeconds[i] as number))),
    e2e: mean(ids.map((i) => (last[i] as number) - (arrivalSeconds[i] as number))),
    tpot: mean(
      ids
        .filter((i) => (outputTokens[i] as number) > 1)
        .map(
          (i) => ((last[i] as number) - (first[i] as number)) / ((outputTokens[i] as number) - 1),
        ),
    ),
    makespan: last.reduce((a, b) => Math.max(a, b), 0),
  };
}

/** A run replayed: the errors of its means, and when each request's tokens came in the simulation. */
export interface ReplayedRun {
  readonly check: VllmCheck;
  readonly simulated: Times;
}

/** Replays a measured run and compares. @throws Error when requests were refused or did not end */
export function replayRun(
  run: MeasuredRun,
  params: ServeParams,
  costModel: CostModel,
): ReplayedRun {
  const result: ServeResult = simulate(params, workloadOfRun(run), costModel);
  const { metrics, requests, prefixCache } = result;
  if (metrics.completed !== metrics.requests) {
    throw new Error(
      `${run.folder}: ${metrics.requests - metrics.completed} of ${metrics.requests} requests did not complete in the simulation (KV blocks: ${params.memory.kvBlocks})`,
    );
  }
  const measured = means(run, run);
  const times: Times = {
    firstTokenSeconds: requests.firstTokenSeconds,
    lastTokenSeconds: requests.completedSeconds,
  };
  const simulated = means(run, times);
  const percent = (key: keyof typeof measured): number =>
    Math.round((simulated[key] / measured[key] - 1) * 1e6) / 1e4;
  const check: VllmCheck = {
    tpotMeanPct: percent('tpot'),
    e2eMeanPct: percent('e2e'),
    ttftMeanPct: percent('ttft'),
    makespanPct: percent('makespan'),
    requests: metrics.requests,
    iterations: metrics.iterations,
    costModel: result.costModel.label,
    kvBlocks: params.memory.kvBlocks,
    preemptions: metrics.restarts,
    prefixHitPct:
      prefixCache === undefined || prefixCache.queriedTokens === 0
        ? 0
        : Math.round((prefixCache.hitTokens / prefixCache.queriedTokens) * 1e4) / 100,
    source: result.costModel.source,
    notes: result.notes,
  };
  return { check, simulated: times };
}

/** The errors alone of `replayRun`. */
export function compareRun(run: MeasuredRun, params: ServeParams, costModel: CostModel): VllmCheck {
  return replayRun(run, params, costModel).check;
}

/** A note where the tables' metadata names another model than the run's. */
export function mismatch(files: OpTableFiles | undefined, meta: JsonObject): string[] {
  const profiled = /^model:\s*(.+)$/m.exec(files?.['meta.yaml'] ?? '')?.[1]?.trim();
  const plain = (name: string): string =>
    (name.split('/').at(-1) ?? '').toLowerCase().replace(/-instruct.*$/, '');
  return profiled === undefined ||
    typeof meta.model !== 'string' ||
    plain(profiled) === plain(meta.model)
    ? []
    : [`the tables are of ${profiled}, the run of ${meta.model}`];
}

/** The accelerator that the tables' metadata names. */
export function gpuOf(files: OpTableFiles | undefined): string | undefined {
  const text = files?.['meta.yaml'];
  const name = /^(?:gpu|hardware):\s*(.+)$/m.exec(text ?? '')?.[1];
  return name?.trim();
}
