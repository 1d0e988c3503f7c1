import { createRandom } from '../../random/random';
import type { ServeParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { createSimulation, type SimulationOptions } from '../core/simulation';
import { createRateSearch } from '../rate-search';
import type { CostModel, ServeResult } from '../types';
import type { CheckProgress } from './types';

/** Iterations between two yields: some milliseconds. */
const SLICE_ITERATIONS = 1000;

/** A simulation that lets others in. */
export function* simulateSliced(
  params: ServeParams,
  workload: Workload,
  costModel: CostModel,
  progress: CheckProgress,
  options: SimulationOptions = {},
): Generator<CheckProgress, ServeResult> {
  const simulation = createSimulation(params, workload, costModel, options);
  while (simulation.advance(SLICE_ITERATIONS)) yield progress;
  return simulation.result();
}

/** Tokens of a prompt and of an output. */
export type DrawLengths = (normal: () => number) => readonly [prompt: number, output: number];

/** Log-normal by its median and 90th percentile. */
export function logNormal(median: number, p90: number): (normal: () => number) => number {
  const sigma = Math.log(p90 / median) / 1.2815515655446004;
  return (normal) => Math.max(1, Math.round(median * Math.exp(sigma * normal())));
}

/** Poisson arrivals; lengths do not change with the rate, as streams of their own. */
export function poissonLoad(
  seed: number,
  requests: number,
  ratePerSecond: number,
  draw: DrawLengths,
): Workload {
  const random = createRandom(seed);
  const gaps = random.fork('arrivals');
  const lengths = random.fork('lengths');
  const arrivalSeconds = new Float64Array(requests);
  const promptTokens = new Int32Array(requests);
  const outputTokens = new Int32Array(requests);
  let now = 0;
  for (let i = 0; i < requests; i++) {
    if (i > 0) now += gaps.exponential() / ratePerSecond;
    arrivalSeconds[i] = now;
    const [prompt, output] = draw(() => lengths.normal());
    promptTokens[i] = prompt;
    outputTokens[i] = output;
  }
  return {
    arrivalSeconds,
    promptTokens,
    outputTokens,
    label: `${requests} requests, poisson arrivals at ${ratePerSecond.toPrecision(3)}/s`,
    source: 'made for this check',
    seed,
    notes: [],
  };
}

export interface CapacityOptions {
  readonly params: ServeParams;
  readonly costModel: CostModel;
  readonly loadAt: (ratePerSecond: number, repeat: number) => Workload;
  /** Whether one run holds what is asked; most of the seeds must. */
  readonly holds: (result: ServeResult) => boolean;
  readonly seeds: number;
  readonly start: number;
  readonly tolerance: number;
  readonly simulation?: SimulationOptions;
}

/** The highest rate at which more than half of the seeds hold; 0 when none does. */
export function* capacity(
  options: CapacityOptions,
  progress: CheckProgress,
): Generator<CheckProgress, number> {
  const { params, costModel, seeds, holds } = options;
  const search = createRateSearch(options.start, options.tolerance);
  for (let rate = search.next(); rate !== undefined; rate = search.next()) {
    let good = 0;
    for (let repeat = 0; repeat < seeds; repeat++) {
      const load = options.loadAt(rate, repeat);
      const result = yield* simulateSliced(params, load, costModel, progress, options.simulation);
      if (holds(result)) good++;
      yield progress;
    }
    search.tell(rate, 2 * good > seeds);
  }
  return search.found().ratePerSecond;
}
