import { usefulFlops } from '../attention/checks';
import { composeFlops } from '../attention/compose/work';
import { decodeWork } from '../attention/decode/work';
import { recurrentFlops } from '../attention/recurrent/work';
import type { AttentionResult } from '../attention/types';
import type { AttentionParams } from '../spec/kinds/attention';
import type { CacheParams } from '../spec/kinds/cache';
import type { ComposeParams } from '../spec/kinds/compose';
import type { PlanParams } from '../spec/kinds/plan';
import { isGenerated, type WorkloadParams } from '../spec/kinds/workload';
import type { Workload } from '../workload/types';
import { CHECK_SECONDS } from './check-seconds';
import type { JobCell } from './job-kinds';
import type { CellOutput } from './types';

/** A cell below this reruns while its params are edited; above it the cell turns stale and waits. */
export const CHEAP_SECONDS = 0.2;

/** What an estimate may look at besides the cell. */
export interface EstimateContext {
  /** The input workload where it is known, else the params of the cell that will make it. */
  readonly workload: Workload | WorkloadParams | undefined;
  readonly fileBytes: number | undefined;
}

/** Wall time of cells before they run, from figures of earlier runs on this machine. */
export interface Estimator {
  /** Seconds of the cell's own job, its ancestors not counted; undefined where nothing is known. */
  seconds(cell: JobCell, context: EstimateContext): number | undefined;
  learn(cell: JobCell, output: CellOutput, wallSeconds: number, context: EstimateContext): void;
}

/** Starting values, on the slow side: a software adapter, one core, no batching. */
const DEFAULTS = {
  fastFlopsPerSecond: 4e9,
  cpuFlopsPerSecond: 3e8,
  /** The f64 recurrence that every result is compared with. */
  referenceFlopsPerSecond: 8e8,
  /** Device start, kernel choice and probes of the adapter, on the first run. */
  attentionFixedSeconds: 2,
  recurrentFixedSeconds: 1,
  decodeFixedSeconds: 0.5,
  /** Fetching and starting the shipped model, and one token through it. */
  modelFixedSeconds: 0.5,
  secondsPerModelToken: 5e-3,
  secondsPerPrefillToken: 4e-4,
  /** One token through a sibling of two layers, in plain TypeScript. */
  secondsPerSiblingToken: 2.5e-4,
  secondsPerElement: 5e-8,
  warmupRuns: 3,
  rowsPerSecond: 1e6,
  fileBytesPerSecond: 1e7,
  iterationsPerSecond: 3e5,
  iterationsPerOutputToken: 1,
  /** Of a search that begins from a grid of rates. */
  searchedRates: 4,
  /** A check that was not measured; the others have a table. */
  checkSeconds: 5,
  /** Rates that a search from an estimate tries, and shapes and phases that a plan search screens. */
  planRates: 8,
  planShapes: 30,
  /** Of what a search takes over what its runs alone would, of the load as it is. */
  planScale: 0.2,
  /** Rounded mean output length of conversation traces; stands in until the workload is there. */
  outputTokensPerRequest: 256,
};

/** Below this a run's wall time is mostly messages and start-up: it bounds a rate from below only. */
const TELLING_SECONDS = 1;

function listedSeconds(check: string): number {
  const own = Object.hasOwn(CHECK_SECONDS, check) ? CHECK_SECONDS[check] : undefined;
  return own ?? DEFAULTS.checkSeconds;
}

/** Units per second after a run of `amount` units. */
function learnedRate(known: number, amount: number, seconds: number): number {
  const measured = amount / Math.max(seconds, 1e-4);
  return seconds < TELLING_SECONDS ? Math.max(known, measured) : Math.max(1, measured);
}

function inputElements({ shape }: AttentionParams): number {
  const rows = shape.queryHeads * shape.queries + 2 * shape.kvHeads * shape.keys;
  return shape.batch * rows * shape.headSize;
}

/** Context tokens that all policies of a cell read. */
function cacheTokens({ samples, contextTokens, entries }: CacheParams): number {
  return samples * contextTokens * entries.length;
}

function requestsAndTokens(
  workload: EstimateContext['workload'],
): { readonly requests: number; readonly outputTokens: number } | undefined {
  if (workload === undefined) return undefined;
  if ('arrivalSeconds' in workload) {
    const outputTokens = workload.outputTokens.reduce((sum, tokens) => sum + tokens, 0);
    return { requests: workload.arrivalSeconds.length, outputTokens };
  }
  const { source, maxRequests } = workload;
  if (!isGenerated(source)) return undefined;
  const requests = Math.min(source.requests, maxRequests);
  const perRequest =
    source.type === 'generator' && source.lengths === 'fixed'
      ? source.outputTokens
      : DEFAULTS.outputTokensPerRequest;
  return { requests, outputTokens: requests * perRequest };
}

export function createEstimator(): Estimator {
  const flopsPerSecond = new Map<AttentionResult['engine'], number>();
  const flopsOf = new WeakMap<AttentionParams, number>();
  const composedOf = new WeakMap<ComposeParams, number>();
  const tokensOf = new WeakMap<object, ReturnType<typeof requestsAndTokens>>();
  let lastEngine: AttentionResult['engine'] = 'webgpu';
  let attentionFixedSeconds = DEFAULTS.attentionFixedSeconds;
  let rowsPerSecond = DEFAULTS.rowsPerSecond;
  let fileBytesPerSecond = DEFAULTS.fileBytesPerSecond;
  let iterationsPerSecond = DEFAULTS.iterationsPerSecond;
  let secondsPerPrefillToken = DEFAULTS.secondsPerPrefillToken;
  let planScale = DEFAULTS.planScale;
  const checkWall = new Map<string, number>();
  let checkScale = 1;
  let iterationsPerOutputToken = DEFAULTS.iterationsPerOutputToken;

  function flops(params: AttentionParams): number {
    const known = flopsOf.get(params) ?? usefulFlops(params);
    flopsOf.set(params, known);
    return known;
  }

  function composed(params: ComposeParams): number {
    const known = composedOf.get(params) ?? composeFlops(params);
    composedOf.set(params, known);
    return known;
  }

  function load(workload: EstimateContext['workload']): ReturnType<typeof requestsAndTokens> {
    if (workload === undefined) return undefined;
    if (!tokensOf.has(workload)) tokensOf.set(workload, requestsAndTokens(workload));
    return tokensOf.get(workload);
  }

  /** Runs of the load as it is: the rates that plans will hold, and so their requests, are not known. */
  function planSeconds(
    { refine, seeds, screenSeconds, runSeconds }: PlanParams,
    workload: EstimateContext['workload'],
  ): number | undefined {
    const known = load(workload);
    if (known === undefined) return undefined;
    const iterations = known.requests + known.outputTokens * iterationsPerOutputToken;
    const shapes = (DEFAULTS.planShapes * screenSeconds) / runSeconds;
    return (DEFAULTS.planRates * (refine * seeds + shapes) * iterations) / iterationsPerSecond;
  }

  return {
    seconds(cell, { workload, fileBytes }) {
      switch (cell.kind) {
        case 'attention': {
          const engine = cell.params.engine === 'auto' ? lastEngine : cell.params.engine;
          const rate =
            flopsPerSecond.get(engine) ??
            (engine === 'cpu' ? DEFAULTS.cpuFlopsPerSecond : DEFAULTS.fastFlopsPerSecond);
          // The CPU reference runs once, whatever the params ask for.
          const runs = engine === 'cpu' ? 1 : cell.params.timedRuns + DEFAULTS.warmupRuns;
          return (
            attentionFixedSeconds +
            inputElements(cell.params) * DEFAULTS.secondsPerElement +
            (runs * flops(cell.params)) / rate
          );
        }
        case 'compose': {
          const engine = cell.params.engine === 'auto' ? lastEngine : cell.params.engine;
          const rate =
            flopsPerSecond.get(engine) ??
            (engine === 'cpu' ? DEFAULTS.cpuFlopsPerSecond : DEFAULTS.fastFlopsPerSecond);
          const runs = engine === 'cpu' ? 1 : cell.params.timedRuns + DEFAULTS.warmupRuns;
          return attentionFixedSeconds + (runs * composed(cell.params)) / rate;
        }
        case 'recurrent': {
          const { shape, rule, timedRuns } = cell.params;
          const flops = recurrentFlops(rule, shape);
          return (
            DEFAULTS.recurrentFixedSeconds +
            flops / DEFAULTS.referenceFlopsPerSecond +
            (timedRuns * flops) / DEFAULTS.fastFlopsPerSecond
          );
        }
        case 'decode': {
          const { flops, storedElements } = decodeWork(cell.params);
          const rate =
            cell.params.engine === 'cpu' ? DEFAULTS.cpuFlopsPerSecond : DEFAULTS.fastFlopsPerSecond;
          return (
            DEFAULTS.decodeFixedSeconds + storedElements * DEFAULTS.secondsPerElement + flops / rate
          );
        }
        case 'model': {
          // The shipped model; a user's own says its size only when it is opened.
          if (cell.params.source.type !== 'recall') return undefined;
          const tokens = cell.params.prompt.length / 5 + cell.params.newTokens;
          return DEFAULTS.modelFixedSeconds + tokens * DEFAULTS.secondsPerModelToken;
        }
        case 'cache': {
          return DEFAULTS.modelFixedSeconds + cacheTokens(cell.params) * secondsPerPrefillToken;
        }
        case 'recall-gap': {
          const { models, samples, questions, pairs, readTwice, order } = cell.params;
          const tokens = (count: number, reads: number) =>
            2 * count * reads + (order === 'first' ? 3 : 2) * Math.min(questions, count);
          const perSample = pairs.reduce(
            (sum, count) => sum + tokens(count, 1) + (readTwice ? tokens(count, 2) : 0),
            0,
          );
          const all = models.length * samples * perSample;
          return DEFAULTS.modelFixedSeconds + all * DEFAULTS.secondsPerSiblingToken;
        }
        case 'speculate': {
          const { newTokens, text } = cell.params;
          // Greedy decoding and the drafter's runs; a user's own model says its size when it is opened.
          const read = text.type === 'sample' ? text.textTokens : text.prompt.length / 5;
          return (
            DEFAULTS.modelFixedSeconds +
            2 * newTokens * DEFAULTS.secondsPerModelToken +
            2 * read * DEFAULTS.secondsPerPrefillToken
          );
        }
        case 'workload': {
          const { source } = cell.params;
          if (!isGenerated(source))
            return fileBytes === undefined ? undefined : fileBytes / fileBytesPerSecond;
          return Math.min(source.requests, cell.params.maxRequests) / rowsPerSecond;
        }
        case 'serve': {
          const known = load(workload);
          if (known === undefined) return undefined;
          const iterations = known.requests + known.outputTokens * iterationsPerOutputToken;
          return iterations / iterationsPerSecond;
        }
        case 'check':
          return checkWall.get(cell.params.check) ?? checkScale * listedSeconds(cell.params.check);
        case 'sweep': {
          const known = load(workload);
          if (known === undefined) return undefined;
          const { points, seeds, findMaximum } = cell.params;
          const runs = seeds * (points + (findMaximum ? DEFAULTS.searchedRates : 0));
          const iterations = known.requests + known.outputTokens * iterationsPerOutputToken;
          return (runs * iterations) / iterationsPerSecond;
        }
        case 'plan': {
          const seconds = planSeconds(cell.params, workload);
          return seconds === undefined ? undefined : planScale * seconds;
        }
      }
    },

    learn(cell, output, wallSeconds, { fileBytes, workload }) {
      switch (output.kind) {
        case 'attention': {
          const { timing, engine, params } = output.value;
          lastEngine = engine;
          if (timing.gigaflopsPerSecond > 0)
            flopsPerSecond.set(engine, timing.gigaflopsPerSecond * 1e9);
          const kernelSeconds =
            (timing.samplesSeconds.length + timing.warmupRuns) * timing.medianSeconds;
          attentionFixedSeconds = Math.max(
            0,
            wallSeconds - kernelSeconds - inputElements(params) * DEFAULTS.secondsPerElement,
          );
          return;
        }
        case 'compose': {
          const { timing, engine } = output.value;
          lastEngine = engine;
          if (timing.gigaflopsPerSecond > 0)
            flopsPerSecond.set(engine, timing.gigaflopsPerSecond * 1e9);
          return;
        }
        case 'recurrent':
        case 'decode':
        case 'model':
        case 'recall-gap':
        case 'speculate':
          return;
        case 'cache':
          secondsPerPrefillToken = wallSeconds / cacheTokens(output.value.params);
          return;
        case 'sweep':
          return;
        case 'check': {
          const { check } = output.value.params;
          checkWall.set(check, wallSeconds);
          // Below this a check is mostly start-up, and says nothing of the machine.
          if (wallSeconds >= TELLING_SECONDS) checkScale = wallSeconds / listedSeconds(check);
          return;
        }
        case 'plan': {
          const seconds = cell.kind === 'plan' ? planSeconds(cell.params, workload) : undefined;
          if (seconds !== undefined && seconds > 0) planScale = wallSeconds / seconds;
          return;
        }
        case 'workload': {
          if (cell.kind !== 'workload') return;
          if (isGenerated(cell.params.source))
            rowsPerSecond = learnedRate(
              rowsPerSecond,
              output.value.arrivalSeconds.length,
              wallSeconds,
            );
          else if (fileBytes !== undefined)
            fileBytesPerSecond = learnedRate(fileBytesPerSecond, fileBytes, wallSeconds);
          return;
        }
        case 'serve': {
          const { iterations } = output.value.metrics;
          const tokens = output.value.requests.outputTokens.reduce((sum, count) => sum + count, 0);
          if (iterations === 0 || tokens === 0) return;
          iterationsPerSecond = learnedRate(
            iterationsPerSecond,
            iterations,
            output.value.wallSeconds,
          );
          iterationsPerOutputToken = iterations / tokens;
          return;
        }
      }
    },
  };
}
