import { createRandom } from '../../random/random';
import type { ServeParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { createSimulation, type SimulationOptions } from '../core/simulation';
import { makeCostModel } from '../cost/make-cost-model';
import { createRateSearch } from '../rate-search';
import type { ServeMetrics, ServeResult } from '../types';
import { type DrawLengths, logNormal, poissonLoad } from './capacity';
import type { CheckProgress } from './types';

/** Iterations of the general engine between two yields: some milliseconds. */
const SLICE_ITERATIONS = 100;

/** A serving run that lets others in. */
export function* sharedRun(
  params: ServeParams,
  load: Workload,
  progress: CheckProgress,
  options: SimulationOptions = {},
): Generator<CheckProgress, ServeResult> {
  const simulation = createSimulation(params, load, makeCostModel(params), options);
  while (simulation.advance(SLICE_ITERATIONS)) yield progress;
  return simulation.result();
}

export interface Limits {
  readonly ttftSeconds: number;
  readonly tbtSeconds: number;
  /** Of the gaps between tokens, that must be below the limit. */
  readonly tbtPercentile: 'p90' | 'p99';
}

/** Whether nine in ten first tokens and so many of the gaps are in time. */
export const holds =
  ({ ttftSeconds, tbtSeconds, tbtPercentile }: Limits) =>
  (m: ServeMetrics): boolean =>
    m.unfinished === 0 &&
    m.ttftSeconds.p90 <= ttftSeconds &&
    !(m.tbtSeconds[tbtPercentile] > tbtSeconds);

export interface RateOptions<T> {
  readonly params: ServeParams;
  readonly loadAt: (rate: number, seed: number) => Workload;
  readonly seeds: readonly number[];
  /** What is kept of a run, and whether that holds what is asked. */
  readonly keep: (result: ServeResult) => T;
  readonly holds: (kept: T) => boolean;
  /** By rate and seed: what was run of these params and loads; kept up. */
  readonly tried?: Map<string, T>;
}

/** The highest rate at which more than half of the seeds hold, to a twelfth; 0 when none does. */
export function* highestRate<T>(
  { params, loadAt, seeds, keep, holds: isHeld, tried = new Map() }: RateOptions<T>,
  progress: CheckProgress,
): Generator<CheckProgress, number> {
  const search = createRateSearch(1, 0.08);
  for (let rate = search.next(); rate !== undefined; rate = search.next()) {
    let good = 0;
    for (const [i, seed] of seeds.entries()) {
      // The last seed matters only where the others part.
      if (2 * good > seeds.length || 2 * (good + seeds.length - i) <= seeds.length) break;
      const key = `${rate} ${seed}`;
      let kept = tried.get(key);
      if (kept === undefined) {
        kept = keep(yield* sharedRun(params, loadAt(rate, seed), progress));
        tried.set(key, kept);
      }
      if (isHeld(kept)) good++;
    }
    search.tell(rate, 2 * good > seeds.length);
  }
  return search.found().ratePerSecond;
}

/** Requests that all come at once, of the lengths of a load. */
export const atOnce = (load: Workload): Workload => ({
  ...load,
  arrivalSeconds: new Float64Array(load.arrivalSeconds.length),
});

/** Prompts and outputs log-normal by median and 90th percentile, at most so long. */
export function lengths(
  prompt: readonly [median: number, p90: number],
  output: readonly [median: number, p90: number],
  most = 16_384,
): DrawLengths {
  const prompts = logNormal(...prompt);
  const outputs = logNormal(...output);
  return (normal) => [Math.min(most, prompts(normal)), Math.min(2048, outputs(normal))];
}

/** Papers to summarize, as the traces of Sarathi-Serve are summarized (from memory). */
export const PAPERS = lengths([7059, 12_985], [208, 371]);
/** Conversations with their history, likewise. */
export const CONVERSATIONS = lengths([1730, 5696], [415, 834]);
/** Short turns; lengths are ours. */
export const TURNS = lengths([220, 900], [200, 600]);

/** The same prompt length for all. */
export const equalPrompts =
  (prompt: number, output: number): DrawLengths =>
  () => [prompt, output];

/** A share of uniform draws by seed, for loads of two kinds. */
export function mixedLoad(
  seed: number,
  requests: number,
  rate: number,
  kinds: readonly [often: DrawLengths, seldom: DrawLengths],
  seldomShare: number,
): Workload {
  const random = createRandom(seed).fork('kinds');
  return poissonLoad(seed, requests, rate, (normal) =>
    (random.uniform() < seldomShare ? kinds[1] : kinds[0])(normal),
  );
}

export const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;
