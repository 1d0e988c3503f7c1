import { createRandom } from '../../random/random';
import { quantileSorted } from '../../stats/percentiles';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const SEEDS = 3;
const REQUESTS = 1500;
const BATCH = 8;
const PROMPT_TOKENS = 1000;
const TOKENS_PER_SECOND = 12_000;
/** Shares of a prompt that other tenants have, half of the requests each. */
const HITS = [0.1, 0.9] as const;
/** Of what is reused, the share that is computed again. */
const REPAIR = 0.2;
const LOADS = [0.6, 0.7, 0.8, 0.9];
const LOAD = 0.8;
/** Seconds of waiting that count as the whole of a prompt found. */
const AGING_SECONDS = 10;

export interface SharedPrompt {
  readonly arrivalSeconds: number;
  readonly hitShare: number;
  readonly prefillSeconds: number;
}

/** Smaller goes first. */
export type BatchOrder = (prompt: SharedPrompt, nowSeconds: number) => number;

const byArrival: BatchOrder = ({ arrivalSeconds }) => arrivalSeconds;
const byHits: BatchOrder = ({ hitShare }) => -hitShare;
const byHitsAging: BatchOrder = ({ hitShare, arrivalSeconds }, now) =>
  -hitShare - (now - arrivalSeconds) / AGING_SECONDS;

/**
 * Time to the first token of every prompt: whenever the server is free, the first of the order go in
 * together, and all have their token when the batch has ended.
 */
export function batchTtft(
  prompts: readonly SharedPrompt[],
  most: number,
  order: BatchOrder,
): Float64Array {
  const ttft = new Float64Array(prompts.length);
  const waiting: number[] = [];
  let next = 0;
  let now = 0;
  const at = (i: number) => prompts[i] as SharedPrompt;
  while (next < prompts.length || waiting.length > 0) {
    if (waiting.length === 0) now = Math.max(now, at(next).arrivalSeconds);
    while (next < prompts.length && at(next).arrivalSeconds <= now) waiting.push(next++);
    const began = now;
    waiting.sort((a, b) => order(at(a), began) - order(at(b), began) || a - b);
    const batch = waiting.splice(0, most);
    now += batch.reduce((sum, i) => sum + at(i).prefillSeconds, 0);
    for (const i of batch) ttft[i] = now - at(i).arrivalSeconds;
  }
  return ttft;
}

/** Seconds to compute a prompt of which so large a share is found and partly repaired. */
export const repairedSeconds = (hitShare: number): number =>
  (PROMPT_TOKENS * (1 - hitShare * (1 - REPAIR))) / TOKENS_PER_SECOND;

function prompts(seed: number, load: number): readonly SharedPrompt[] {
  const random = createRandom(seed);
  const perSecond = load / ((repairedSeconds(HITS[0]) + repairedSeconds(HITS[1])) / 2);
  let arrivalSeconds = 0;
  return Array.from({ length: REQUESTS }, () => {
    arrivalSeconds += random.exponential() / perSecond;
    const hitShare = HITS[random.integer(0, 1)] as number;
    return { arrivalSeconds, hitShare, prefillSeconds: repairedSeconds(hitShare) };
  });
}

const ORDERS = {
  'by arrival': byArrival,
  'by share found': byHits,
  'by share found, with aging': byHitsAging,
} as const;
type Name = keyof typeof ORDERS;
const NAMES = Object.keys(ORDERS) as Name[];

interface Point {
  readonly mean: number;
  /** 99th percentile of those of whose prompts little is found. */
  readonly lowP99: number;
}

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const points = new Map<string, Point>();
  const jobs = LOADS.flatMap((load) => NAMES.map((name) => ({ load, name })));
  for (const [i, { load, name }] of jobs.entries()) {
    let mean = 0;
    let lowP99 = 0;
    for (let repeat = 0; repeat < SEEDS; repeat++) {
      yield { fraction: i / jobs.length, phase: `${name}, load ${load}` };
      const all = prompts(seed + repeat, load);
      const ttft = batchTtft(all, BATCH, ORDERS[name]);
      const low = ttft.filter((_, j) => all[j]?.hitShare === HITS[0]).sort();
      mean += ttft.reduce((a, b) => a + b, 0) / ttft.length / SEEDS;
      lowP99 += quantileSorted(low, 0.99) / SEEDS;
    }
    points.set(`${name} ${load}`, { mean, lowP99 });
  }
  const atOnce = (name: Name) => {
    const all = prompts(seed, Infinity);
    return batchTtft(all, BATCH, ORDERS[name]).reduce((a, b) => a + b, 0) / all.length;
  };
  const at = (name: Name, load = LOAD) => points.get(`${name} ${load}`) as Point;
  const less = (load: number) =>
    100 * (1 - at('by share found', load).mean / at('by arrival', load).mean);
  const worse = (name: Name) => at(name).lowP99 / at('by arrival').lowP99;
  return {
    figures: [
      {
        label: `mean TTFT less by, by share found against by arrival, load ${LOAD}`,
        value: less(LOAD),
        unit: '%',
        expected: { low: 25, high: 40 },
        source: "a claim of the paper, by a third party's summary: 33.8 by its scheduler alone",
      },
      {
        label: `the same, load ${LOADS.at(-1)}`,
        value: less(LOADS.at(-1) as number),
        unit: '%',
      },
      {
        label: 'the same, all prompts at once',
        value: 100 * (1 - atOnce('by share found') / atOnce('by arrival')),
        unit: '%',
      },
      {
        label: '99th percentile of TTFT where little is found, by share found against by arrival',
        value: worse('by share found'),
        unit: 'x',
        expected: { low: 1 },
        source: 'arithmetic: whoever has little to find waits for all others',
      },
      {
        label: 'the same with aging',
        value: worse('by share found, with aging'),
        unit: 'x',
      },
    ],
    series: [
      {
        title: 'Mean TTFT',
        xLabel: 'load',
        yLabel: 'seconds',
        lines: NAMES.map((name) => ({
          name,
          x: LOADS,
          y: LOADS.map((load) => at(name, load).mean),
        })),
      },
      {
        title: '99th percentile where little is found',
        xLabel: 'load',
        yLabel: 'seconds',
        lines: NAMES.map((name) => ({
          name,
          x: LOADS,
          y: LOADS.map((load) => at(name, load).lowP99),
        })),
      },
    ],
    notes: [
      `${REQUESTS} Poisson prompts of ${PROMPT_TOKENS} tokens, of which ${100 * HITS[0]} or ${100 * HITS[1]} % are found; ${100 * REPAIR} % of what is found is computed again; ${TOKENS_PER_SECOND} tokens/s, batches of ${BATCH}, ${SEEDS} seeds.`,
      `While fewer than ${BATCH} wait, any order takes all of them together: the order counts only where a queue stands, most where everybody comes at once.`,
      `With aging, ${AGING_SECONDS} s of waiting count as much as all of a prompt.`,
      'Finding the fragments, the tokens that each decode computes again, and what the repair does to answers are not simulated. The order is the priority "hit-ratio" of a composed strategy.',
    ],
  };
}

/** KVShare (2025): fragments shared over tenants, and who has most of its prompt found goes first. */
export const kvshare: RowCheck = {
  id: 'kvshare',
  title: 'KVShare: the largest share found goes first',
  asks: 'What does it gain, and whom does it cost, to serve first those of whose prompts most is found?',
  rule: 'fragments of any length are found in the KV of all tenants. of what is found the tokens that attention and values differ most at are computed again, a tenth to four tenths, and three at every decode. waiting requests are ordered by the share of the prompt that is found, the largest first, and the first of them run together.',
  evidence: 'third-party',
  run,
};
