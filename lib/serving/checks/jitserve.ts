import { createRandom } from '../../random/random';
import {
  fullIterationSeconds,
  type SeatServer,
  type SloJob,
  type SloOutcome,
  type SloPolicy,
  type SloRequest,
  saturation,
  serveSlo,
} from './slo-server';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const SEEDS = 3;
const SPAN_SECONDS = 120;
const LOADS = [0.8, 1, 1.2, 1.4];
const NOISES = [0, 0.3, 0.6];
const NOISE = 0.3;
/** What an output token counts beside a prompt token, and how fast lateness devalues. */
const OUTPUT_WEIGHT = 8;
const PENALTY = 1;

const SERVER: SeatServer = {
  seats: 64,
  iterationSeconds: 0.015,
  iterationSecondsPerSeat: 0.00015,
  promptTokensPerSecond: 12_000,
  swapTokensPerSecond: 150_000,
  frameIterations: 10,
};
const DUE = { firstSeconds: 2, tokenSeconds: 0.1, deadlineSeconds: 20, collectiveSeconds: 30 };

/** A third each of chats, of requests with a deadline, and of requests in groups with one deadline. */
export function mixedRequests(seed: number, perSecond: number, seconds: number): SloRequest[] {
  const random = createRandom(seed);
  const length = (median: number, sigma: number) =>
    Math.max(1, Math.round(median * Math.exp(sigma * random.normal())));
  const requests: SloRequest[] = [];
  let at = 0;
  for (let group = 0; ; group++) {
    // Groups of four count as four: the same share of the requests for each kind.
    const kind = (['latency', 'deadline', 'collective'] as const)[
      [0, 0, 0, 0, 1, 1, 1, 1, 2][random.integer(0, 8)] as number
    ] as SloRequest['kind'];
    at += ((12 / 9) * random.exponential()) / perSecond;
    if (at > seconds) return requests;
    for (let i = 0; i < (kind === 'collective' ? 4 : 1); i++) {
      const promptTokens = length(kind === 'latency' ? 200 : 1000, 0.8);
      const outputTokens = length(kind === 'deadline' ? 400 : 250, 0.7);
      const due = {
        latency: DUE.firstSeconds + outputTokens * DUE.tokenSeconds,
        deadline: DUE.deadlineSeconds,
        collective: DUE.collectiveSeconds,
      }[kind];
      requests.push({
        kind,
        group,
        arrivalSeconds: at,
        promptTokens,
        outputTokens,
        firstDueSeconds: kind === 'latency' ? at + DUE.firstSeconds : Infinity,
        dueSeconds: at + due,
      });
    }
  }
}

const leftSeconds = ({ isPrefilled, request, predictedLeft }: SloJob, tokenSeconds: number) =>
  (isPrefilled ? 0 : request.promptTokens / SERVER.promptTokensPerSecond) +
  predictedLeft * tokenSeconds;

/** What a request is worth if it runs from now on, less the later it would be. */
export function reward(job: SloJob, now: number, tokenSeconds: number): number {
  const { request, done, predictedLeft, isPrefilled, firstAtSeconds } = job;
  const { promptTokens, arrivalSeconds, kind, firstDueSeconds, dueSeconds } = request;
  const outputs = OUTPUT_WEIGHT * (done + predictedLeft);
  const inTime = (due: number, at: number) =>
    Math.min(1, (due - arrivalSeconds) / Math.max(1e-9, at - arrivalSeconds)) ** PENALTY;
  const last = inTime(dueSeconds, now + leftSeconds(job, tokenSeconds));
  if (kind !== 'latency') return (promptTokens + outputs) * last;
  const first = isPrefilled ? firstAtSeconds : now + promptTokens / SERVER.promptTokensPerSecond;
  return promptTokens * inTime(firstDueSeconds, first) + outputs * last;
}

/** Reward per second of work left; peers of a group share the sum over the longest. */
export function density(job: SloJob, now: number, tokenSeconds: number): number {
  let sum = 0;
  let longest = 1e-9;
  for (const peer of job.peers) {
    if (peer.endSeconds < Infinity) continue;
    sum += reward(peer, now, tokenSeconds);
    longest = Math.max(longest, leftSeconds(peer, tokenSeconds));
  }
  return sum / longest;
}

const POLICIES: Readonly<Record<string, SloPolicy>> = {
  FCFS: { key: ({ request }) => request.arrivalSeconds, preempts: false },
  SJF: { key: ({ predictedLeft }) => predictedLeft, preempts: false },
  LAS: {
    key: ({ peers }) => Math.floor(peers.reduce((sum, { done }) => sum + done, 0) / 400),
    preempts: true,
  },
  EDF: {
    key: ({ request, isPrefilled }) =>
      isPrefilled ? request.dueSeconds : Math.min(request.firstDueSeconds, request.dueSeconds),
    preempts: true,
  },
  JITServe: {
    key: (job, now, tokenSeconds) => -density(job, now, tokenSeconds),
    preempts: true,
    advantage: 0.1,
    dropsLate: true,
  },
};
const NAMES = Object.keys(POLICIES);

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const outcomes = new Map<string, SloOutcome>();
  const jobs = LOADS.flatMap((load) => [
    ...NAMES.map((name) => ({ load, name, noise: NOISE })),
    ...NOISES.filter((each) => each !== NOISE).map((noise) => ({ load, name: 'JITServe', noise })),
  ]);
  const perSecond = saturation(mixedRequests(seed, 10, 1000), SERVER);
  for (const [i, { load, name, noise }] of jobs.entries()) {
    const runs: SloOutcome[] = [];
    for (let repeat = 0; repeat < SEEDS; repeat++) {
      yield { fraction: i / jobs.length, phase: `${name} at ${load} of saturation` };
      const requests = mixedRequests(seed + repeat, load * perSecond, SPAN_SECONDS);
      const random = createRandom(seed + repeat).fork('lengths');
      runs.push(serveSlo(requests, SERVER, POLICIES[name] as SloPolicy, noise, random));
    }
    const mean = (key: keyof SloOutcome) => runs.reduce((sum, each) => sum + each[key], 0) / SEEDS;
    outcomes.set(`${name} ${load} ${noise}`, {
      goodTokensPerSecond: mean('goodTokensPerSecond'),
      metShare: mean('metShare'),
      outputTokensPerSecond: mean('outputTokensPerSecond'),
    });
  }
  const at = (name: string, load: number, noise = NOISE) =>
    outcomes.get(`${name} ${load} ${noise}`) as SloOutcome;
  const best = (load: number) =>
    Math.max(
      ...NAMES.filter((name) => name !== 'JITServe').map((n) => at(n, load).goodTokensPerSecond),
    );
  const jit = (load: number, noise = NOISE) => at('JITServe', load, noise).goodTokensPerSecond;
  const over = [1, 1.2, 1.4];
  return {
    figures: [
      ...over.map((load) => ({
        label: `goodput, JITServe against the best of the others, ${load} of saturation`,
        value: jit(load) / best(load),
        unit: 'x',
        expected: { low: 1.4 },
        source: 'a claim of the abstract: 1.4 to 6.3',
      })),
      ...over.map((load) => ({
        label: `goodput lost by not knowing lengths (error ${NOISE}), ${load} of saturation`,
        value: 100 * (1 - jit(load) / jit(load, 0)),
        unit: '%',
        expected: { high: 10 },
        source: "a claim of the paper, by a third party's summary: 3 to 9",
      })),
      {
        label: 'output tokens per second, JITServe against FCFS, 1.2 of saturation',
        value: at('JITServe', 1.2).outputTokensPerSecond / at('FCFS', 1.2).outputTokensPerSecond,
        unit: 'x',
        expected: { low: 0.95, high: 1.05 },
        source: "a claim of the paper, by a third party's summary: 0.96 to 0.98",
      },
      {
        label: 'goodput, JITServe against FCFS, 1.2 of saturation',
        value: jit(1.2) / at('FCFS', 1.2).goodTokensPerSecond,
        unit: 'x',
      },
      ...NAMES.map((name) => ({
        label: `requests in time, ${name}, 1.2 of saturation`,
        value: 100 * at(name, 1.2).metShare,
        unit: '%',
      })),
    ],
    series: [
      {
        title: 'Tokens of requests in time',
        xLabel: 'load over saturation',
        yLabel: 'tokens/s',
        lines: [
          ...NAMES.map((name) => ({
            name,
            x: LOADS,
            y: LOADS.map((load) => at(name, load).goodTokensPerSecond),
          })),
          { name: 'JITServe, lengths known', x: LOADS, y: LOADS.map((load) => jit(load, 0)) },
          { name: 'JITServe, error 0.6', x: LOADS, y: LOADS.map((load) => jit(load, 0.6)) },
        ],
      },
    ],
    notes: [
      `A server of ${SERVER.seats} seats, ${(1e3 * fullIterationSeconds(SERVER)).toFixed(1)} ms per token when full, ${SERVER.promptTokensPerSecond} prompt tokens/s, ${SERVER.swapTokensPerSecond} KV tokens/s swapped, looked at every ${SERVER.frameIterations} iterations; ${perSecond.toFixed(2)} requests/s saturate it. ${SPAN_SECONDS} s of Poisson arrivals, ${SEEDS} seeds.`,
      `A third each: chats (first token in ${DUE.firstSeconds} s, then ${DUE.tokenSeconds} s each), deadlines of ${DUE.deadlineSeconds} s, groups of four with ${DUE.collectiveSeconds} s for all. A request, or a group, in time counts with all its tokens, else with none.`,
      'FCFS and SJF keep who runs; LAS by 400 tokens of a group; EDF by the next token due. JITServe here: density of reward, a tenth better to take a seat, waiting requests given up when their time has passed.',
      'Where all are still in time, worth per second of work left is nearly the same for a long request as for a short one, and shortest first, which knows lengths as well here, comes close. More is gained over orders that do not know them.',
      'A simulator of its own: the window over prompt lengths (GMAX) and the cap on swaps are not in it. In a composed strategy the priority "density" orders what waits, for requests of the first kind alone, and displaces nobody.',
    ],
  };
}

/** JITServe (2025): who is worth most per second of work left goes first. */
export const jitserve: RowCheck = {
  id: 'jitserve',
  title: 'JITServe: what is worth most per second goes first',
  asks: 'How much more is served in time when requests of three kinds are ordered by what they are worth per second of work left?',
  rule: 'a request is worth its prompt tokens and eight times its output tokens, less by the share by which it would be late. its priority is that worth over the time it still needs; requests of one group share the sum of theirs over the longest. lengths are upper guesses, made again every 50 tokens. of those near the best, a window of like prompt lengths runs. one that runs is displaced only where that gains more than the swap costs, and what waits too long is dropped.',
  evidence: 'code',
  run,
};
