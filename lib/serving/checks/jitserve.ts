import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import type { Workload } from '../../workload/types';
import { makeCostModel } from '../cost/make-cost-model';
import { limitMetrics } from '../limit-metrics';
import type { ServeResult } from '../types';
import { simulateSliced } from './capacity';
import { DUE, mixedLoad } from './limited-load';
import type { CheckProgress, CheckResult, RowCheck } from './types';

const SEEDS = 2;
const SPAN_SECONDS = 120;
const LOADS = [0.8, 1, 1.2, 1.4];
const NOISES = [0, 0.3, 0.6];
const NOISE = 0.3;
const SEATS = 64;
const LOOK_ITERATIONS = 50;

const swap = { type: 'swap', victim: 'lowest-priority', forPriority: true };
const ARMS = {
  FCFS: () => ({ priority: { type: 'fcfs' } }),
  SJF: (noise: number) => ({ priority: { type: 'sjf', by: 'output', predictionError: noise } }),
  LAS: () => ({
    priority: { type: 'las', binTokens: 400 },
    preemption: { ...swap, everyIterations: 10 },
  }),
  EDF: () => ({ priority: { type: 'edf' }, preemption: { ...swap, everyIterations: 10 } }),
  JITServe: (noise: number) => ({
    priority: {
      type: 'density',
      predictionError: noise,
      decodeSeconds: DECODE_SECONDS,
    },
    batchFormer: { type: 'length-window', tokenBudget: 2048 },
    preemption: { ...swap, everyIterations: LOOK_ITERATIONS, costTest: true },
    rejection: { type: 'late' },
  }),
} as const;
/** Of a token with all seats taken, for what a request still needs. */
const DECODE_SECONDS = 0.014;
type Arm = keyof typeof ARMS;
const NAMES = Object.keys(ARMS) as Arm[];

const paramsOf = (arm: Arm, noise: number): ServeParams =>
  serveParams.parse({
    model: 'llama-3.1-8b',
    hardware: 'a100-80g',
    strategy: {
      type: 'composed',
      admission: { type: 'watermark', maxSequences: SEATS },
      batchFormer: { type: 'decode-first', tokenBudget: 2048 },
      ...ARMS[arm](noise),
    },
  });

/** Output tokens that decodes made while requests arrived, and prompt tokens as well, per second. */
function madePerSecond({ lanes }: ServeResult) {
  let outputs = 0;
  let prompts = 0;
  for (const { startSeconds, decodeTokens, prefillTokens } of lanes)
    startSeconds.forEach((start, i) => {
      if (start >= SPAN_SECONDS) return;
      outputs += decodeTokens[i] as number;
      prompts += prefillTokens[i] as number;
    });
  return {
    outputTokensPerSecond: outputs / SPAN_SECONDS,
    tokensPerSecond: (outputs + prompts) / SPAN_SECONDS,
  };
}

/** What an output token is worth in prompt tokens, in the reward. */
const OUTPUT_WEIGHT = 8;

/** Prompt tokens of requests in time, and eight times their output tokens, per second. */
function weightedGoodput(load: Workload, { requests }: ServeResult): number {
  const outputTokens = load.outputTokens.map((tokens) => OUTPUT_WEIGHT * tokens);
  return limitMetrics({ ...load, outputTokens }, requests)?.goodTokensPerSecond ?? Number.NaN;
}

interface Outcome {
  readonly goodTokensPerSecond: number;
  readonly metShare: number;
  /** With the weights of the reward. */
  readonly goodWorthPerSecond: number;
  readonly outputTokensPerSecond: number;
  readonly tokensPerSecond: number;
}

/** Requests a second that all seats carry: of many at once, how fast the middle half is done. */
function* saturation(seed: number, progress: CheckProgress): Generator<CheckProgress, number> {
  const params = paramsOf('FCFS', 0);
  const load = mixedLoad(seed, 20, SPAN_SECONDS);
  const { arrivalSeconds } = load;
  const atOnce = { ...load, arrivalSeconds: new Float64Array(arrivalSeconds.length) };
  const { requests } = yield* simulateSliced(params, atOnce, makeCostModel(params), progress);
  const ends = requests.completedSeconds.toSorted();
  const at = (share: number) => ends[Math.floor(share * ends.length)] as number;
  return (0.5 * ends.length) / (at(0.75) - at(0.25));
}

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  const outcomes = new Map<string, Outcome>();
  const jobs = LOADS.flatMap((load) => [
    ...NAMES.map((name) => ({ load, name, noise: NOISE })),
    ...NOISES.filter((each) => each !== NOISE).map((noise) => ({
      load,
      name: 'JITServe' as const,
      noise,
    })),
  ]);
  const perSecond = yield* saturation(seed, { fraction: 0, phase: 'what the seats carry' });
  for (const [i, { load, name, noise }] of jobs.entries()) {
    const progress = { fraction: i / jobs.length, phase: `${name} at ${load} of saturation` };
    const params = paramsOf(name, noise);
    const runs: Outcome[] = [];
    for (let repeat = 0; repeat < SEEDS; repeat++) {
      const requests = mixedLoad(seed + repeat, load * perSecond, SPAN_SECONDS);
      const result = yield* simulateSliced(params, requests, makeCostModel(params), progress);
      const { limits } = result.metrics;
      if (limits === undefined) throw new Error('the load of this check has time limits');
      runs.push({
        ...limits,
        goodWorthPerSecond: weightedGoodput(requests, result),
        ...madePerSecond(result),
      });
    }
    const mean = (key: keyof Outcome) => runs.reduce((sum, each) => sum + each[key], 0) / SEEDS;
    outcomes.set(`${name} ${load} ${noise}`, {
      goodTokensPerSecond: mean('goodTokensPerSecond'),
      metShare: mean('metShare'),
      goodWorthPerSecond: mean('goodWorthPerSecond'),
      outputTokensPerSecond: mean('outputTokensPerSecond'),
      tokensPerSecond: mean('tokensPerSecond'),
    });
  }
  const at = (name: Arm, load: number, noise = NOISE) =>
    outcomes.get(`${name} ${load} ${noise}`) as Outcome;
  const best = (load: number, of: 'goodTokensPerSecond' | 'goodWorthPerSecond') =>
    Math.max(...NAMES.filter((name) => name !== 'JITServe').map((name) => at(name, load)[of]));
  const jit = (load: number, noise = NOISE) => at('JITServe', load, noise).goodTokensPerSecond;
  const over = [1, 1.2, 1.4];
  return {
    figures: [
      ...over.map((load) => ({
        label: `goodput, JITServe against the best of the others, ${load} of saturation`,
        value: jit(load) / best(load, 'goodTokensPerSecond'),
        unit: 'x',
        expected: { low: 1.4 },
        source: 'a claim of the abstract: 1.4 to 6.3',
      })),
      ...over.map((load) => ({
        label: `the same with outputs at ${OUTPUT_WEIGHT} times the worth of prompts, as in the reward, ${load} of saturation`,
        value: at('JITServe', load).goodWorthPerSecond / best(load, 'goodWorthPerSecond'),
        unit: 'x',
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
        label: 'the same of prompt and output tokens',
        value: at('JITServe', 1.2).tokensPerSecond / at('FCFS', 1.2).tokensPerSecond,
        unit: 'x',
        expected: { low: 0.95, high: 1.05 },
        source:
          "a claim of the paper, by a third party's summary: 0.96 to 0.98 of the raw throughput, which does not say whether it counts prompts",
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
      `Compositions: Llama 3.1 8B on an A100 80 GB by roofline, ${SEATS} seats, prompts in chunks of what 2,048 tokens leave. ${perSecond.toFixed(1)} requests/s saturate it: the pace at which the middle half of many at once is done. ${SPAN_SECONDS} s of Poisson arrivals, ${SEEDS} seeds.`,
      `A third each: chats (first token in ${DUE.firstSeconds} s, then ${DUE.tokenSeconds} s each), deadlines of ${DUE.deadlineSeconds} s, groups of four with ${DUE.collectiveSeconds} s for all. A request, or a group, in time counts with all its tokens, else with none.`,
      `FCFS and SJF keep who runs. LAS by 400 tokens of service and EDF displace every 10 iterations by swapping, JITServe every ${LOOK_ITERATIONS}: density of reward, a window of like lengths among those worth at least 0.95 of the last that would have a seat, displaced only where that is worth more than the time of the copies; who waits past its limit is given up. That share and the form of the test are ours.`,
      'Who is worth most per second has a short answer: more of the time goes to prompts, and fewer output tokens are made than under FCFS.',
      'Where all are still in time, worth per second of work left is nearly the same for a long request as for a short one, and shortest first, which knows lengths as well here, comes close. More is gained over orders that do not know them.',
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
