import { createRandom } from '../../random/random';
import type { PriorityPart } from '../../spec/kinds/serve-priority';
import { LIMIT_KINDS, type RequestLimits } from '../../workload/types';
import type { RequestView } from './views';

type Density = Extract<PriorityPart, { type: 'density' }>;

/** What the worth of a request depends on and changes while it is there. */
export interface WorthView {
  readonly nowSeconds: () => number;
  /** Output tokens so far. */
  readonly emittedTokens: (id: number) => number;
  /** NaN until it is there. */
  readonly firstTokenSeconds: (id: number) => number;
  readonly isOver: (id: number) => boolean;
  /** Estimated time to compute its prompt. */
  readonly prefillSeconds: (id: number) => number;
  readonly limits: RequestLimits | undefined;
}

const PIECES = 2 ** 14;

/** Standard normal quantile, by bisection of its distribution; used once per strategy. */
export function normalQuantile(share: number): number {
  let low = -8;
  let high = 8;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7. */
function normalShare(x: number): number {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const poly =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const erf = 1 - poly * Math.exp((-x * x) / 2);
  return x >= 0 ? (1 + erf) / 2 : (1 - erf) / 2;
}

/**
 * Output tokens that a request is predicted to have left: the true ones at the last prediction, made
 * every `refreshTokens`, x exp(error x (a standard normal draw + z of the quantile)), less what came
 * since. The draw is a function of the request and of how often it was asked, and of nothing else.
 */
export function predictedLeft(
  part: Pick<Density, 'predictionError' | 'quantile' | 'refreshTokens' | 'seed'>,
): (id: number, outputTokens: number, emitted: number) => number {
  const { predictionError, refreshTokens } = part;
  if (predictionError === 0) return (_, output, emitted) => Math.max(1, output - emitted);
  const above = normalQuantile(part.quantile);
  const draws = new Map<number, number>();
  const random = createRandom(part.seed);
  const factor = (id: number, epoch: number): number => {
    const key = id * PIECES + epoch;
    let drawn = draws.get(key);
    if (drawn === undefined) {
      const normal = random.fork(`length ${id} ${epoch}`).normal();
      drawn = Math.exp(predictionError * (normal + above));
      draws.set(key, drawn);
    }
    return drawn;
  };
  return (id, output, emitted) => {
    const epoch = Math.floor(emitted / refreshTokens);
    const since = emitted - epoch * refreshTokens;
    return Math.max(1, (output - epoch * refreshTokens) * factor(id, epoch) - since);
  };
}

/**
 * JITServe's density: reward / time left. A request with limits on its first token and its last is
 * worth prompt x min(1, limit / predicted)^penalty + weight x output x the same of the last token, one
 * with a deadline (prompt + weight x output) x the same of its last. Those of a group share the sum of
 * their rewards over the longest time left.
 */
export function goodputDensity(
  part: Density,
  { arrivalSeconds, prefillTokens, totalTokens }: RequestView,
  view: WorthView,
): (id: number) => number {
  const { limits } = view;
  // Prefill tokens grow with restarts: the prompt is what they are before the run.
  const prompts = prefillTokens.slice();
  const left = predictedLeft(part);
  const groups = new Map<number, number[]>();
  limits?.groupIds.forEach((group, id) => {
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [id]);
    else members.push(id);
  });
  const inTime = (limit: number, seconds: number) =>
    Math.min(1, limit / Math.max(seconds, 1e-12)) ** part.penalty;

  function look(id: number): { readonly reward: number; readonly seconds: number } {
    const prompt = prompts[id] as number;
    const emitted = view.emittedTokens(id);
    const predicted = left(id, (totalTokens[id] as number) - prompt, emitted);
    const output = emitted + predicted;
    const prefill = view.prefillSeconds(id);
    const seconds = prefill + predicted * part.decodeSeconds;
    const waited = view.nowSeconds() - (arrivalSeconds[id] as number);
    const known = view.firstTokenSeconds(id) - (arrivalSeconds[id] as number);
    const first = Number.isNaN(known) ? waited + prefill : known;
    const firstLimit = limits?.firstTokenSeconds[id] ?? part.ttftSeconds;
    const lastLimit = limits?.lastTokenSeconds[id] ?? part.ttftSeconds + output * part.tokenSeconds;
    const last = part.outputWeight * output * inTime(lastLimit, waited + seconds);
    const isLatency = limits === undefined || LIMIT_KINDS[limits.kinds[id] as number] === 'latency';
    const early = isLatency ? inTime(firstLimit, first) : inTime(lastLimit, waited + seconds);
    return { reward: prompt * early + last, seconds };
  }

  return (id) => {
    const group = limits === undefined ? undefined : groups.get(limits.groupIds[id] as number);
    if (group === undefined || group.length === 1) {
      const { reward, seconds } = look(id);
      return reward / Math.max(seconds, 1e-12);
    }
    let sum = 0;
    let longest = 1e-12;
    for (const peer of group) {
      if (view.isOver(peer) || Number.isNaN(arrivalSeconds[peer])) continue;
      const { reward, seconds } = look(peer);
      sum += reward;
      longest = Math.max(longest, seconds);
    }
    return sum / longest;
  };
}
