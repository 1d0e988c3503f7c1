import { createRandom, type Random } from '../../random/random';
import type { CheckProgress, CheckResult, RowCheck } from './types';

/** Parts of one prompt: when each is there, and how long its prefill takes. */
export interface StreamedPrompt {
  readonly arrivals: readonly number[];
  readonly prefillSeconds: readonly number[];
}

/** Seconds to the first token when all parts are waited for. */
export function waitForAll({ arrivals, prefillSeconds }: StreamedPrompt): number {
  return Math.max(0, ...arrivals) + prefillSeconds.reduce((sum, each) => sum + each, 0);
}

/** The same when each part is computed as it comes, in order. */
export function streamed({ arrivals, prefillSeconds }: StreamedPrompt): number {
  let now = 0;
  arrivals.forEach((arrival, i) => {
    now = Math.max(now, arrival) + (prefillSeconds[i] as number);
  });
  return now;
}

type Order = 'fcfs' | 'lcas' | 'mcps';
type Recovery = 'recompute' | 'swap' | 'cheaper';

interface Job {
  readonly parts: readonly { readonly at: number; readonly tokens: number }[];
  computed: number;
  /** Tokens that were dropped and are computed or fetched before anything else. */
  lost: number;
  /** Seconds per token of bringing a lost one back. */
  backSeconds: number;
  firstTokenAt: number;
}

export interface ClusterSetup {
  readonly tokensPerSecond: number;
  readonly memoryTokens: number;
  readonly chunkTokens: number;
  readonly swapTokensPerSecond: number;
  /** Seconds of a swap, whatever its size. */
  readonly swapFixedSeconds: number;
}

/**
 * Mean TTFT (from the first part) of streamed prompts on one prefill instance. Every step takes a
 * chunk of the first request by the order that has tokens to compute; what does not fit takes the
 * place of the last, whose tokens are computed again or swapped in when it is its turn.
 */
export function meanTtft(
  jobs: readonly Omit<Job, 'computed' | 'lost' | 'backSeconds' | 'firstTokenAt'>[],
  order: Order,
  recovery: Recovery,
  setup: ClusterSetup,
): number {
  const all: Job[] = jobs.map((job) => ({
    ...job,
    computed: 0,
    lost: 0,
    backSeconds: 0,
    firstTokenAt: Number.NaN,
  }));
  let now = 0;
  let left = all.length;
  const here = ({ parts }: Job): number =>
    parts.reduce((sum, { at, tokens }) => sum + (at <= now ? tokens : 0), 0);
  const total = ({ parts }: Job): number => parts.reduce((sum, { tokens }) => sum + tokens, 0);
  const startOf = ({ parts }: Job): number => (parts[0] as { at: number }).at;
  const lastPart = ({ parts }: Job): number =>
    parts.reduce((last, { at }) => (at <= now ? at : last), 0);
  const rank = (job: Job): number => {
    if (order === 'mcps') return -job.computed * 1e6 + startOf(job);
    const isComplete = here(job) === total(job);
    return (isComplete ? 0 : 1e9) + (order === 'fcfs' ? startOf(job) : -lastPart(job));
  };
  while (left > 0) {
    const active = all
      .filter((job) => Number.isNaN(job.firstTokenAt) && startOf(job) <= now)
      .sort((a, b) => rank(a) - rank(b));
    const job = active.find((each) => each.lost > 0 || here(each) > each.computed);
    if (job === undefined) {
      now = Math.min(
        ...all
          .filter((each) => Number.isNaN(each.firstTokenAt))
          .flatMap(({ parts }) => parts.map(({ at }) => at).filter((at) => at > now)),
      );
      continue;
    }
    const chunk = Math.min(setup.chunkTokens, here(job) - job.computed);
    let used = all.reduce(
      (sum, each) => sum + (Number.isNaN(each.firstTokenAt) ? each.computed - each.lost : 0),
      0,
    );
    for (const victim of active.toReversed()) {
      if (used + chunk + job.lost <= setup.memoryTokens || victim === job) break;
      const held = victim.computed - victim.lost;
      if (held === 0) continue;
      const swap = 2 / setup.swapTokensPerSecond + (2 * setup.swapFixedSeconds) / held;
      const again = 1 / setup.tokensPerSecond;
      victim.backSeconds =
        recovery === 'swap' ? swap : recovery === 'recompute' ? again : Math.min(swap, again);
      victim.lost = victim.computed;
      used -= held;
    }
    now += job.lost * job.backSeconds + chunk / setup.tokensPerSecond;
    job.lost = 0;
    job.computed += chunk;
    if (job.computed === total(job)) {
      job.firstTokenAt = now;
      left--;
    }
  }
  return all.reduce((sum, job) => sum + job.firstTokenAt - startOf(job), 0) / all.length;
}

function makeJobs(random: Random, count: number, ratePerSecond: number) {
  let now = 0;
  return Array.from({ length: count }, () => {
    now += random.exponential() / ratePerSecond;
    let at = now;
    const parts = Array.from({ length: random.integer(3, 10) }, () => {
      const part = { at, tokens: random.integer(200, 1500) };
      at += random.exponential() * 0.4;
      return part;
    });
    return { parts };
  });
}

const JOBS = 150;
const SETUP: ClusterSetup = {
  tokensPerSecond: 8000,
  memoryTokens: 60_000,
  chunkTokens: 512,
  swapTokensPerSecond: 150_000,
  swapFixedSeconds: 0.02,
};
const SLOWER_HOST: ClusterSetup = { ...SETUP, swapTokensPerSecond: 12_000 };
const RATES = [0.25, 0.5, 0.75, 1, 1.2];

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const random = createRandom(seed);
  const gains = [1, 2, 4, 8, 16].map((parts) => {
    const prompt: StreamedPrompt = {
      arrivals: Array.from({ length: parts }, (_, i) => 0.1 * i),
      prefillSeconds: Array.from({ length: parts }, () => 2 / parts),
    };
    return { parts, gain: waitForAll(prompt) / streamed(prompt) };
  });
  const smallLast: StreamedPrompt = {
    arrivals: [0, 0.05, 0.1, 0.15, 0.2],
    prefillSeconds: [0.01, 0.01, 0.01, 0.01, 0.01],
  };
  const idealLast: StreamedPrompt = {
    arrivals: [0, 0.5, 1, 1.5, 2],
    prefillSeconds: [0.5, 0.5, 0.5, 0.5, 0.02],
  };
  const ttft = new Map<string, number[]>();
  for (const [i, rate] of RATES.entries()) {
    const jobs = makeJobs(random.fork(`rate ${rate}`), JOBS, rate);
    for (const order of ['fcfs', 'lcas', 'mcps'] as const) {
      yield { fraction: i / (RATES.length + 2), phase: `${order} at ${rate} /s` };
      const seen = ttft.get(order) ?? [];
      ttft.set(order, [...seen, meanTtft(jobs, order, 'cheaper', SETUP)]);
    }
  }
  const pressed = { memoryTokens: 9000 };
  const recoveries = new Map<string, number>();
  for (const [name, setup] of [
    ['fast host link', { ...SETUP, ...pressed }],
    ['slow host link', { ...SLOWER_HOST, ...pressed }],
  ] as const) {
    const jobs = makeJobs(random.fork('pressed'), JOBS, 0.9);
    for (const recovery of ['recompute', 'swap', 'cheaper'] as const) {
      yield { fraction: RATES.length / (RATES.length + 2), phase: `${recovery}, ${name}` };
      recoveries.set(`${recovery}, ${name}`, meanTtft(jobs, 'fcfs', recovery, setup));
    }
  }
  const of = (key: string) => recoveries.get(key) as number;
  const worst = (name: string) =>
    of(`cheaper, ${name}`) / Math.min(of(`recompute, ${name}`), of(`swap, ${name}`));
  return {
    figures: [
      {
        label: 'TTFT, waiting for all against streaming, five parts and a small last one',
        value: waitForAll(idealLast) / streamed(idealLast),
        unit: 'x',
      },
      {
        label: 'the same after the last part, which is what the user waits for',
        value: (waitForAll(idealLast) - 2) / (streamed(idealLast) - 2),
        unit: 'x',
        expected: { low: 1, high: 110 },
        source: 'arithmetic: all prefill over that of the last part',
      },
      {
        label: 'the same where prefill is nothing beside the retrieval',
        value: waitForAll(smallLast) / streamed(smallLast),
        unit: 'x',
        expected: { low: 1, high: 1.3 },
        source: 'arithmetic: then there is nothing to hide',
      },
      ...(['fast host link', 'slow host link'] as const).map((name) => ({
        label: `memory short, mean TTFT, the cheaper of both against the better of recompute and swap, ${name}`,
        value: worst(name),
        unit: 'x',
        expected: { high: 1.05 },
        source: 'an earlier simulation of ours',
      })),
      ...[...recoveries].map(([key, value]) => ({
        label: `memory short, mean TTFT, ${key}`,
        value,
        unit: 's',
      })),
    ],
    series: [
      {
        title: 'Waiting for all over streaming, 2 s of prefill, a part every 0.1 s',
        xLabel: 'parts',
        yLabel: 'TTFT ratio',
        lines: [
          {
            name: 'equal parts',
            x: gains.map(({ parts }) => parts),
            y: gains.map(({ gain }) => gain),
          },
        ],
      },
      {
        title: 'Mean TTFT from the first part',
        xLabel: 'prompts per second',
        yLabel: 'seconds',
        lines: [...ttft].map(([name, y]) => ({ name: name.toUpperCase(), x: RATES, y })),
      },
    ],
    notes: [
      `${JOBS} prompts of 3 to 10 parts of 200 to 1,500 tokens, gaps of 0.4 s in the mean; ${SETUP.tokensPerSecond} prompt tokens a second in chunks of ${SETUP.chunkTokens}; swapping moves ${SETUP.swapTokensPerSecond} tokens a second (slow link ${SLOWER_HOST.swapTokensPerSecond}), both ways counted when the request comes back.`,
      'FCFS: complete prompts by arrival, then partial ones; LCAS: the newest part first; MCPS: the most computed first.',
      'The paper claims TTFT up to 11 times lower than waiting for all on its traces; how much depends on how small the last part is.',
    ],
  };
}

/** Stream2LLM (2026): prefill while the context is still being retrieved. */
export const stream2llm: RowCheck = {
  id: 'stream2llm',
  title: 'Stream2LLM',
  asks: 'What is gained by computing a prompt while the rest of it is still being retrieved?',
  rule: 'A prompt comes in parts, appended or replaced; KV up to the first token that differs is kept. Each step orders all unfinished requests (by arrival, by the newest part, or by what is computed) and then takes memory for them in that order. A victim is the last of the order, and its KV is computed again or swapped out, whichever is cheaper by curves fitted to the hardware.',
  evidence: 'code',
  run,
};
