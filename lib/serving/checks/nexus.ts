import { type ServeParams, serveParams } from '../../spec/kinds/serve';
import { presetOfId } from '../compose/presets';
import type { ServeMetrics, ServeResult } from '../types';
import { poissonLoad } from './capacity';
import { CLAIM, EARLIER, SHARES_NOTE } from './cost-parts';
import {
  atOnce,
  CONVERSATIONS,
  highestRate,
  holds,
  type Limits,
  lengths,
  mean,
  sharedRun,
} from './share-parts';
import type { CheckFigure, CheckProgress, RowCheck } from './types';

const SEEDS = 3;
const REQUESTS = 150;
/** A queue near saturation takes long to build up. */
const NEAR_REQUESTS = 600;
const CAPACITY_REQUESTS = 60;
const BUDGETS = [512, 2048, 8192] as const;
/** Most time of the phase that yields, over its best: not published, so swept like the baseline. */
const SLACKS = [1.2, 2, 4] as const;
/** What engines start with: the baseline of the claim. */
const DEFAULT_BUDGET = 2048;
const LIMITS: Limits = { ttftSeconds: 1, tbtSeconds: 0.06, tbtPercentile: 'p99' };
/** Prompts of very unlike lengths, short answers: where the order of the queue counts. */
const UNLIKE = lengths([1500, 9000], [150, 350]);

const cell = (strategy: object): ServeParams =>
  serveParams.parse({
    model: 'llama-3.1-8b',
    hardware: 'a100-80g',
    strategy: { type: 'composed', ...strategy },
  });

const nexusParts = presetOfId('nexus');
const FIRST = { priority: { type: 'fcfs' } };
const SHORTEST = { priority: nexusParts.priority };
/** The same without what waiting adds, whose rate is not published. */
const AGELESS = { priority: { type: 'sjf', by: 'prompt' } };
const chunks = (tokenBudget: number) => ({
  batchFormer: { type: 'decode-first', tokenBudget },
  preemption: { type: 'recompute', victim: 'last-admitted' },
});

/** Mechanism and order, each with and without the other. */
const ARMS = {
  'chunks, first come': { ...chunks(DEFAULT_BUDGET), ...FIRST },
  'chunks, shortest': { ...chunks(DEFAULT_BUDGET), ...SHORTEST },
  'split, first come': { ...nexusParts, ...FIRST },
  'split, shortest': nexusParts,
} as const;
type Arm = keyof typeof ARMS;

/** Loads at which the orders are held against each other, up to the last with a stable queue. */
const LOADS = [0.5, 0.7, 0.8, 0.9, 0.93, 0.96, 1, 1.03, 1.06, 1.1, 1.15, 1.2] as const;

/** Nexus (2025): the shares of two phases from predicted times, and the shortest prompt first. */
export const nexus: RowCheck = {
  id: 'nexus',
  title: 'Nexus',
  asks: 'How much of the gain is the order of the queue, and how much the split of the accelerator?',
  rule: 'prompts and decodes run at the same time on shares of one accelerator, chosen at every iteration from predicted times: while less than 70 % of the KV is used, prompts as fast as decodes can bear (1.2 times their best), then the other way round. shares move when they change by more than a tenth. the shortest prompt goes first; a second of waiting counts as 200 tokens. bound, band and aging are ours.',
  evidence: 'third-party',
  *run(seed) {
    const seeds = Array.from({ length: SEEDS }, (_, i) => seed + i);
    const names = Object.keys(ARMS) as Arm[];
    const steps = 2 + SLACKS.length + LOADS.length + names.length + BUDGETS.length;
    let step = 0;
    const next = (phase: string): CheckProgress => ({ fraction: step++ / steps, phase });
    const all = atOnce(poissonLoad(seed, NEAR_REQUESTS, 1, UNLIKE));
    const baseline = cell(ARMS['chunks, first come']);
    const offline = yield* sharedRun(baseline, all, next('what chunks can do'));
    // Prompts that chunks begin per second when all are there: the scale of the loads.
    const scale = NEAR_REQUESTS / Math.max(...offline.requests.firstTokenSeconds);
    const orders = { first: [] as number[], shortest: [] as number[], ageless: [] as number[] };
    for (const share of LOADS) {
      const progress = next(`order at ${share} of the load`);
      const near = {
        first: [] as ServeMetrics[],
        shortest: [] as ServeMetrics[],
        ageless: [] as ServeMetrics[],
      };
      for (const each of seeds) {
        const load = poissonLoad(each, NEAR_REQUESTS, share * scale, UNLIKE);
        near.first.push((yield* sharedRun(baseline, load, progress)).metrics);
        if (near.first.some(({ unstable }) => unstable)) break;
        for (const [key, order] of [
          ['shortest', SHORTEST],
          ['ageless', AGELESS],
        ] as const) {
          const params = cell({ ...chunks(DEFAULT_BUDGET), ...order });
          near[key].push((yield* sharedRun(params, load, progress)).metrics);
        }
      }
      // Past saturation times grow with the length of the run, and their ratios mean nothing.
      if (near.first.some(({ unstable }) => unstable)) break;
      orders.first.push(mean(near.first.map((m) => m.ttftSeconds.mean)));
      orders.shortest.push(mean(near.shortest.map((m) => m.ttftSeconds.mean)));
      orders.ageless.push(mean(near.ageless.map((m) => m.ttftSeconds.mean)));
    }
    const stable = orders.first.length;
    const nearest = (key: keyof typeof orders) => orders[key][stable - 1] ?? Number.NaN;
    const outcomes = {} as Record<Arm, ServeMetrics[]>;
    for (const name of names) {
      outcomes[name] = [];
      const progress = next(name);
      for (const each of seeds) {
        const load = poissonLoad(each, REQUESTS, 0.5 * scale, UNLIKE);
        outcomes[name].push((yield* sharedRun(cell(ARMS[name]), load, progress)).metrics);
      }
    }
    const ttft = (name: Arm) => mean(outcomes[name].map((m) => m.ttftSeconds.mean));
    const gaps = (name: Arm) => mean(outcomes[name].map((m) => m.tbtSeconds.p99));

    const loadAt = (each: number, at: number) =>
      poissonLoad(at, CAPACITY_REQUESTS, each, CONVERSATIONS);
    const rateOf = (strategy: object, progress: CheckProgress) => {
      const keep = ({ metrics }: ServeResult) => metrics;
      const options = { params: cell(strategy), loadAt, seeds, keep, holds: holds(LIMITS) };
      return highestRate(options, progress);
    };
    const byBudget: number[] = [];
    for (const budget of BUDGETS)
      byBudget.push(yield* rateOf(chunks(budget), next(`highest rate, chunks of ${budget}`)));
    const bySlack: number[] = [];
    for (const slack of SLACKS) {
      const partition = { ...nexusParts.partition, slack };
      const strategy = { ...ARMS['split, first come'], partition };
      bySlack.push(yield* rateOf(strategy, next(`highest rate, split bound by ${slack}`)));
    }
    const split = Math.max(...bySlack);
    const best = Math.max(...byBudget);
    const figure = (label: string, value: number, unit = 'x'): CheckFigure => ({
      label,
      value,
      unit,
    });
    return {
      figures: [
        {
          ...figure(
            'mean time to first token near saturation, first come over shortest, both chunks of 2048',
            nearest('first') / nearest('shortest'),
          ),
          expected: { low: 5, high: 20 },
          source: `${EARLIER}, of the order alone`,
        },
        figure(
          'the same where waiting counts nothing, so that long prompts may starve',
          nearest('first') / nearest('ageless'),
        ),
        figure(
          'mean time to first token at half of the load, chunks over split, both first come',
          ttft('chunks, first come') / ttft('split, first come'),
        ),
        figure(
          'the same of both: chunks and first come over split and shortest',
          ttft('chunks, first come') / ttft('split, shortest'),
        ),
        figure(
          '99th percentile of gaps at half of the load, chunks of 2048 over split, first come',
          gaps('chunks, first come') / gaps('split, first come'),
        ),
        {
          ...figure(
            'highest rate within limits, split at its best bound over the best chunks',
            split / best,
          ),
          expected: { high: 1 },
          source: `${EARLIER} (no gain over a well-chosen chunk)`,
        },
        figure(
          'the highest load with a stable queue, first come',
          LOADS[stable - 1] ?? 0,
          'of scale',
        ),
        figure('mean time to first token there, chunks, first come', nearest('first'), 's'),
        figure('mean time to first token there, chunks, shortest', nearest('shortest'), 's'),
        ...names.map((name) =>
          figure(`mean time to first token at half of the load, ${name}`, ttft(name), 's'),
        ),
        ...BUDGETS.map((budget, i) =>
          figure(`highest rate, chunks of ${budget}`, byBudget[i] as number, 'req/s'),
        ),
        ...SLACKS.map((slack, i) =>
          figure(
            `highest rate, split bound by ${slack}, first come`,
            bySlack[i] as number,
            'req/s',
          ),
        ),
      ],
      series: [
        {
          title: 'mean time to first token by order, chunks of 2048',
          xLabel: 'load',
          yLabel: 's',
          lines: [
            { name: 'first come', x: LOADS.slice(0, stable), y: orders.first },
            { name: 'shortest', x: LOADS.slice(0, stable), y: orders.shortest },
          ],
        },
        {
          title: 'highest rate by token budget of the baseline',
          xLabel: 'token budget',
          yLabel: 'requests per second',
          lines: [
            { name: 'chunks', x: [...BUDGETS], y: byBudget },
            { name: 'split', x: [...BUDGETS], y: BUDGETS.map(() => split) },
          ],
        },
      ],
      notes: [
        `Llama 3.1 8B on A100; ${SHARES_NOTE}; ${SEEDS} seeds. first token: prompts of a median of 1500 tokens and a 90th percentile of 9000, a load of 1 being the rate at which chunks of ${DEFAULT_BUDGET} get through ${NEAR_REQUESTS} prompts that come all at once; near saturation is the highest load, in steps of some hundredths, at which the queue of first come stays stable for all seeds; half of the load has ${REQUESTS} requests. highest rate: ${CAPACITY_REQUESTS} conversations (1730 in, 415 out), time to first token 1 s at the 90th percentile, gaps of 60 ms at the 99th`,
        'below the band: at the highest stable load the order alone gives this much. a 5th to a 20th of the time needs a queue that no longer is stable, whose times grow with the length of the run',
        'the split loses the first token here: decodes keep at least the share that 1.2 times their best time needs (other bounds are beside it for the highest rate), and prompts, which arithmetic bounds, are slower by as much. what it gives is short gaps',
        'operators of a mixed batch cost no more here than apart, which flatters chunks; speed by share and contention are parameters, not measurements. switching shares costs nothing',
        `${CLAIM}: 2.2 times the throughput of vLLM, a 20th of its time to first token and 2.5 times shorter gaps; models and loads of its own`,
      ],
    };
  },
};
