import { createRandom } from '../../random/random';
import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import { makeCostModel } from '../cost/make-cost-model';
import type { ServeResult } from '../types';
import { simulateSliced } from './capacity';
import { type Session, sessionLoad } from './session-load';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const PROGRAMS = 60;
const SEEDS = 3;
const RATES = [0.02, 0.03, 0.035, 0.04, 0.06];
const SLOW_RATE = 0.03;
const BLOCK_TOKENS = 200;

export interface Tools {
  /** Share of tool calls that are slow, and the mean times of both. */
  readonly slowShare: number;
  readonly quickSeconds: number;
  readonly slowSeconds: number;
}

/** Agents of 8 to 14 turns unless given: 6,000 tokens first, 600 per tool result, 200 generated. */
export function agentSessions(
  seed: number,
  count: number,
  ratePerSecond: number,
  tools: Tools,
  [leastTurns, mostTurns]: readonly [number, number] = [8, 14],
): readonly Session[] {
  const random = createRandom(seed);
  let startSeconds = 0;
  return Array.from({ length: count }, () => {
    startSeconds += random.exponential() / ratePerSecond;
    const turns = Array.from({ length: random.integer(leastTurns, mostTurns) }, (_, i) => ({
      ownTokens: i === 0 ? 6000 : 600,
      outputTokens: 200,
      gapSeconds:
        random.exponential() *
        (random.uniform() < tools.slowShare ? tools.slowSeconds : tools.quickSeconds),
    }));
    return { startSeconds, turns };
  });
}

const TOOLS: Tools = { slowShare: 0.05, quickSeconds: 0.5, slowSeconds: 20 };
const SLOW_TOOLS: Tools = { slowShare: 0.25, quickSeconds: 0.5, slowSeconds: 60 };

const withParts = (parts: object): ServeParams =>
  serveParams.parse({
    model: 'llama-3.1-8b',
    hardware: 'rtx-4090',
    memory: { blockTokens: BLOCK_TOKENS },
    strategy: {
      type: 'composed',
      batchFormer: { type: 'decode-first', tokenBudget: 2048 },
      preemption: { type: 'recompute', victim: 'last-admitted' },
      prefixIndex: { type: 'block-hash' },
      ...parts,
    },
  });

const ARMS = {
  'evict, requests by arrival': withParts({}),
  'evict, programs by arrival': withParts({ priority: { type: 'program-fcfs' } }),
  TTL: withParts({ priority: { type: 'program-fcfs' }, eviction: { type: 'utility-ttl' } }),
  'pin forever': withParts({
    priority: { type: 'program-fcfs' },
    eviction: { type: 'ttl', seconds: 1e6 },
  }),
} as const;
type Arm = keyof typeof ARMS;
const NAMES = Object.keys(ARMS) as Arm[];

/** Programs that come late take so much longer than the early ones where load is past saturation. */
const MOST_GROWTH = 2;

/** Mean completion time of the last third of the programs over that of the first third. */
export function lateOverEarly({ requests }: Pick<ServeResult, 'requests'>): number {
  const { programIds, arrivalSeconds, completedSeconds } = requests;
  if (programIds === undefined) return Number.NaN;
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  programIds.forEach((program, i) => {
    const sent = arrivalSeconds[i] as number;
    first.set(program, Math.min(sent, first.get(program) ?? Infinity));
    last.set(program, Math.max(completedSeconds[i] as number, last.get(program) ?? -Infinity));
  });
  const times = [...first]
    .toSorted((a, b) => a[1] - b[1])
    .map(([program, sent]) => (last.get(program) as number) - sent);
  const third = Math.floor(times.length / 3);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return sum(times.slice(-third)) / sum(times.slice(0, third));
}

interface Point {
  /** Mean over the seeds of the mean and the 95th percentile of the completion times. */
  readonly mean: number;
  readonly p95: number;
  readonly hitShare: number;
  readonly isUnstable: boolean;
  readonly completed: number;
}

function* measure(
  seed: number,
  rate: number,
  tools: Tools,
  arm: Arm,
  progress: CheckProgress,
): Generator<CheckProgress, Point> {
  const results: ServeResult[] = [];
  for (let repeat = 0; repeat < SEEDS; repeat++) {
    const load = sessionLoad(agentSessions(seed + repeat, PROGRAMS, rate, tools), BLOCK_TOKENS);
    const costModel = makeCostModel(ARMS[arm]);
    results.push(yield* simulateSliced(ARMS[arm], load, costModel, progress));
  }
  const mean = (of: (result: ServeResult) => number) =>
    results.reduce((sum, each) => sum + of(each), 0) / results.length;
  return {
    mean: mean(({ metrics }) => metrics.programs?.completionSeconds.mean ?? Number.NaN),
    p95: mean(({ metrics }) => metrics.programs?.completionSeconds.p95 ?? Number.NaN),
    hitShare: mean(({ prefixCache }) =>
      prefixCache === undefined ? 0 : prefixCache.hitTokens / prefixCache.queriedTokens,
    ),
    isUnstable: mean(lateOverEarly) > MOST_GROWTH,
    completed: mean(({ metrics }) => (metrics.programs?.completed ?? 0) / PROGRAMS),
  };
}

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const points = new Map<string, Point>();
  const jobs = [
    ...RATES.map((rate) => ({ rate, tools: TOOLS, key: `${rate}` })),
    { rate: SLOW_RATE, tools: SLOW_TOOLS, key: 'slow' },
  ].flatMap((each) => NAMES.map((arm) => ({ ...each, arm })));
  for (const [i, { rate, tools, key, arm }] of jobs.entries()) {
    const progress = { fraction: i / jobs.length, phase: `${arm} at ${rate}/s` };
    points.set(`${arm} ${key}`, yield* measure(seed, rate, tools, arm, progress));
  }
  const at = (arm: Arm, key: string | number) => points.get(`${arm} ${key}`) as Point;
  const gain = (key: string | number) =>
    at('evict, requests by arrival', key).mean / at('TTL', key).mean;
  // Past the load that evicting can carry, how long jobs take depends on how many were sent.
  const beyond = RATES.findIndex((rate) => at('evict, requests by arrival', rate).isUnstable);
  const stable = beyond < 0 ? RATES : RATES.slice(0, beyond);
  const last = stable.at(-1) ?? (RATES[0] as number);
  const unstable = RATES.filter((rate) => !stable.includes(rate));
  return {
    figures: [
      {
        label: `completion time, evict by arrival against TTL, ${RATES[0]} programs/s`,
        value: gain(RATES[0] as number),
        unit: 'x',
        expected: { low: 1.15, high: 2.5 },
        source: 'an earlier simulation of ours: 1.23 at low load, 2.4 at saturation',
      },
      {
        label: `the same at the highest rate that evicting carries, ${last} programs/s`,
        value: gain(last),
        unit: 'x',
        expected: { low: 1.15, high: 2.5 },
        source: 'an earlier simulation of ours; the abstract claims 1.12 to 3.66 on its traces',
      },
      ...unstable.map((rate) => ({
        label: `the same past saturation, ${rate} programs/s: depends on how many were sent`,
        value: gain(rate),
        unit: 'x',
      })),
      {
        label: `completion time, pinning for ever against TTL, ${last} programs/s`,
        value: at('pin forever', last).mean / at('TTL', last).mean,
        unit: 'x',
        expected: { low: 0.8, high: 1.1 },
        source: 'an earlier simulation of ours: equal or slightly better while memory lasts',
      },
      {
        label: `completion time, pinning for ever against TTL, every fourth tool of 60 s, ${SLOW_RATE} programs/s`,
        value: at('pin forever', 'slow').mean / at('TTL', 'slow').mean,
        unit: 'x',
      },
      {
        label: 'programs completed under pinning for ever with slow tools',
        value: 100 * at('pin forever', 'slow').completed,
        unit: '%',
        expected: { low: 100 },
        source: 'arithmetic: pins are given up before anything waits for ever',
      },
      ...NAMES.map((arm) => ({
        label: `prompt tokens found cached, ${arm}, ${last} programs/s`,
        value: 100 * at(arm, last).hitShare,
        unit: '%',
      })),
    ],
    series: (['mean', 'p95'] as const).map((what) => ({
      title: what === 'mean' ? 'Mean completion time of a program' : 'The 95th percentile of it',
      xLabel: 'programs per second',
      yLabel: 'seconds',
      lines: NAMES.map((name) => ({
        name,
        x: RATES,
        y: RATES.map((rate) => at(name, rate)[what]),
      })),
    })),
    notes: [
      `Llama 3.1 8B on an RTX 4090, roofline, blocks of ${BLOCK_TOKENS} tokens; ${PROGRAMS} Poisson programs of 8 to 14 turns, ${SEEDS} seeds; 6,000 tokens first, 600 per tool result, 200 generated; tools take 0.5 s in the mean, every twentieth 20 s.`,
      unstable.length === 0
        ? 'No rate here is past what evicting can carry.'
        : `From ${unstable[0]} programs/s on, evicting cannot carry the load: the last third of the programs takes more than ${MOST_GROWTH} times as long as the first. Those ratios say nothing.`,
      'Gaps are learned over all tools together, not tool by tool; there is no host memory below. At low load nothing is lost, since what is let go of stays findable until its place is needed; an engine that drops KV at once loses there too. The order of programs alone is the second line.',
    ],
  };
}

/** Continuum (2025): KV of an agent stays in memory while its tool runs, for as long as that pays. */
export const continuum: RowCheck = {
  id: 'continuum',
  title: 'Continuum: keeping KV while a tool runs',
  asks: 'How much sooner is an agent done when its KV stays in memory for the time that pays?',
  rule: 'when a turn ends with a tool call, its KV is pinned for the time t, out of 0 and the times seen so far, with the largest P(the tool is done by t) x (time to compute the context again + queueing delay) - size x t, the size being that of its KV over a mean one. a turn that waits when the pin ends keeps it. if nothing can start, pins are given up, the newest program first. programs go in the order in which they came.',
  evidence: 'third-party',
  run,
};
