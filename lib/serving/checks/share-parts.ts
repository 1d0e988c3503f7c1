import { createRandom } from '../../random/random';
import type { Workload } from '../../workload/types';
import { type DrawLengths, logNormal, poissonLoad } from './capacity';

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
